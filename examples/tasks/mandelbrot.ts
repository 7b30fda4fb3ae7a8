import { taskFactory, task, transfer } from 'flowstate';

/** A part of the picture: some of its rows. */
export interface Strip {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly firstRow: number;
  readonly rows: number;
}

const MOST_STEPS = 200;

/** How many steps a point takes to leave the circle, at most as many as are tried. */
function stepsOf(real: number, imaginary: number): number {
  let [x, y] = [0, 0];
  for (let step = 0; step < MOST_STEPS; step++) {
    const [xx, yy] = [x * x, y * y];
    if (xx + yy > 4) return step;
    [x, y] = [xx - yy + real, 2 * x * y + imaginary];
  }
  return MOST_STEPS;
}

/** Makes the task that computes a strip. Threads make it again from the same plain data. */
export const computeStrip = taskFactory('computeStrip', ({ name, width, height, firstRow, rows }: Strip) =>
  task({
    name,
    provides: name,
    execute: (_, { progress }) => {
      const shades = new Uint8Array(width * rows);
      for (let row = 0; row < rows; row++) {
        const imaginary = ((firstRow + row) / height) * 2.4 - 1.2;
        for (let column = 0; column < width; column++) {
          const steps = stepsOf((column / width) * 3.2 - 2.2, imaginary);
          shades[row * width + column] = steps === MOST_STEPS ? 0 : 255 - ((steps * 7) % 256);
        }
        progress((row + 1) / rows);
      }
      return transfer(shades, [shades.buffer]);
    },
  }),
);
