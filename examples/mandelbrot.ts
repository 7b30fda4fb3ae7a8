/**
 * Work that keeps processors busy, on threads: each computes strips of a picture, which then becomes a PNG file, kept when
 * the program is given a name for it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engines, unordered } from 'flowstate';
import { computeStrip } from './tasks/mandelbrot.js';
import { pngOf } from './tasks/png.js';

const [width, height, strips] = [480, 360, 6];
const rows = height / strips;
const names = Array.from({ length: strips }, (_, index) => `strip ${index}`);
const picture = unordered('mandelbrot').addAll(
  names.map((name, index) => computeStrip({ name, width, height, firstRow: index * rows, rows })),
);

const results = await engines.run(picture, {
  engine: 'parallel',
  executor: 'workerThreads',
  maxWorkers: 2,
  // Threads load the tasks from their module.
  taskModules: [new URL('./tasks/mandelbrot.js', import.meta.url)],
});

const shades = new Uint8Array(width * height);
names.forEach((name, index) => shades.set(results[name] as Uint8Array, index * rows * width));

const [wanted] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'mandelbrot-'));
await writeFile(wanted ?? join(folder, 'mandelbrot.png'), pngOf(width, height, shades));
console.log(`${width} × ${height} points in ${strips} strips`);
console.log(`${shades.filter((shade) => shade === 0).length} points never leave`);
console.log(`shades: ${createHash('sha256').update(shades).digest('hex').slice(0, 16)}`);

// A small look at it.
for (let row = 0; row < height; row += 24) {
  let line = '';
  for (let column = 0; column < width; column += 8) line += (shades[row * width + column] ?? 0) === 0 ? '#' : '.';
  console.log(line);
}
await rm(folder, { recursive: true });
