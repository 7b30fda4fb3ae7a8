import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface Panning {
  readonly move: (x: number, y: number) => void;
  readonly zoom: (factor: number, at: { readonly x: number; readonly y: number }) => void;
}

/** Movements of a pointer that are not more than this are a click. */
const STILL = 4;

/** Moves and zooms with one pointer or two, and with the wheel. */
export function usePanning(target: RefObject<SVGSVGElement | null>, panning: Panning): void {
  const latest = useRef(panning);
  latest.current = panning;
  useEffect(() => {
    const element = target.current;
    if (element === null) return;
    const pointers = new Map<number, { x: number; y: number }>();
    let moved = 0;

    const inside = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
      const { left, top } = element.getBoundingClientRect();
      return { x: clientX - left, y: clientY - top };
    };
    const onDown = (event: PointerEvent) => {
      if (pointers.size === 0) moved = 0;
      pointers.set(event.pointerId, inside(event));
    };
    const onMove = (event: PointerEvent) => {
      const before = pointers.get(event.pointerId);
      if (before === undefined) return;
      const now = inside(event);
      moved += Math.hypot(now.x - before.x, now.y - before.y);
      if (moved > STILL && !element.hasPointerCapture(event.pointerId)) element.setPointerCapture(event.pointerId);
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      pointers.set(event.pointerId, now);
      if (other === undefined) latest.current.move(now.x - before.x, now.y - before.y);
      else {
        const [was, is] = [before, now].map((point) => Math.hypot(point.x - other.x, point.y - other.y));
        if (was !== undefined && is !== undefined && was > 0) {
          latest.current.zoom(is / was, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
        }
      }
    };
    const onUp = (event: PointerEvent) => void pointers.delete(event.pointerId);
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      if (event.ctrlKey || event.deltaX === 0)
        latest.current.zoom(Math.exp(-event.deltaY * lines * 0.002), inside(event));
      else latest.current.move(-event.deltaX * lines, -event.deltaY * lines);
    };
    // What was moved was not clicked.
    const onClick = (event: MouseEvent) => {
      if (moved > STILL) event.stopImmediatePropagation();
      moved = 0;
    };
    element.addEventListener('pointerdown', onDown);
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerup', onUp);
    element.addEventListener('pointercancel', onUp);
    element.addEventListener('wheel', onWheel, { passive: false });
    element.addEventListener('click', onClick, { capture: true });
    return () => {
      element.removeEventListener('pointerdown', onDown);
      element.removeEventListener('pointermove', onMove);
      element.removeEventListener('pointerup', onUp);
      element.removeEventListener('pointercancel', onUp);
      element.removeEventListener('wheel', onWheel);
      element.removeEventListener('click', onClick, { capture: true });
    };
  }, []);
}
