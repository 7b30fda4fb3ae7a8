import type { AnyStateMachine } from 'xstate';
import { engineMachine, flowMachine, retryMachine, taskMachine } from '../../machines/index.js';
import { layOut } from '../layout.js';
import { pictureOfMachine } from '../machine-picture.js';
import type { PictureChart } from './run-picture.js';

const MACHINES: readonly AnyStateMachine[] = [engineMachine, flowMachine, taskMachine, retryMachine];

/** Above the first state. */
const MARGIN = 14;

let laidOut: readonly PictureChart[] | null = null;

/** The charts of `machines/`, laid out once. */
export function charts(): readonly PictureChart[] {
  return (laidOut ??= MACHINES.map(chartOf));
}

function chartOf(machine: AnyStateMachine): PictureChart {
  const picture = pictureOfMachine(machine);
  const { width, height, boxes, arrows } = layOut(picture);
  const names = new Map(picture.boxes.map(({ id, label, shape }) => [id, shape === 'initial' ? null : label]));
  const parents = new Set(picture.boxes.map(({ parent }) => parent));
  // The outermost box is the machine itself, and is not drawn: nothing is said by the room at its top.
  const states = picture.boxes.flatMap(({ id, shape }) => {
    const place = boxes.get(id);
    if (place === undefined || parents.has(id)) return [];
    return [{ name: names.get(id) ?? null, isFinal: shape === 'final', ...place }];
  });
  const top = Math.max(0, Math.min(...states.map(({ y }) => y)) - MARGIN);
  return {
    id: machine.id,
    top,
    width,
    height: height - top,
    states,
    ways: arrows.map(({ arrow, points, label }) => ({
      from: names.get(arrow.from) ?? null,
      to: names.get(arrow.to) ?? null,
      lines: arrow.lines,
      points: points.map(({ x, y }) => [Math.round(x), Math.round(y)] as const),
      label: [Math.round(label.x), Math.round(label.y)] as const,
    })),
  };
}
