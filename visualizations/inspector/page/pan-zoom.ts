/** What part of a drawing is seen: a point of it stands at `x + scale * point`. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Extent {
  readonly width: number;
  readonly height: number;
}

const LEAST_SCALE = 0.02;
const MOST_SCALE = 3;
const BORDER = 12;

/** All of a drawing, in the middle; small ones no larger than they are. */
export function fit(drawing: Extent, window: Extent): View {
  const across = (window.width - 2 * BORDER) / Math.max(1, drawing.width);
  const down = (window.height - 2 * BORDER) / Math.max(1, drawing.height);
  const scale = bounded(Math.min(across, down, 1.25));
  return {
    scale,
    x: (window.width - drawing.width * scale) / 2,
    y: Math.max(BORDER, (window.height - drawing.height * scale) / 2),
  };
}

/** Nearer or further away; what is at a point of the window stays there. */
export function zoom(view: View, factor: number, at: { readonly x: number; readonly y: number }): View {
  const scale = bounded(view.scale * factor);
  const change = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * change, y: at.y - (at.y - view.y) * change };
}

/** A part of a drawing in the middle, as large as it is. */
export function centre(place: { readonly x: number; readonly y: number } & Extent, window: Extent): View {
  return {
    scale: 1,
    x: window.width / 2 - place.x - place.width / 2,
    y: window.height / 2 - place.y - place.height / 2,
  };
}

/** Moves a drawing as little as is needed for a part of it to be seen. */
export function reveal(
  view: View,
  place: { readonly x: number; readonly y: number } & Extent,
  window: Extent,
  border = 40,
): View {
  const shift = (start: number, size: number, room: number) => {
    if (size > room - 2 * border) return border - start;
    if (start < border) return border - start;
    return start + size > room - border ? room - border - start - size : 0;
  };
  const { scale } = view;
  return {
    scale,
    x: view.x + shift(view.x + place.x * scale, place.width * scale, window.width),
    y: view.y + shift(view.y + place.y * scale, place.height * scale, window.height),
  };
}

function bounded(scale: number): number {
  return Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));
}
