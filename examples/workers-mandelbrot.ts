/**
 * The picture of `mandelbrot.ts`, computed by two worker processes: the tasks are the same.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { engines, unordered } from 'flowstate';
import { computeStrip } from './tasks/mandelbrot.js';
import { pngOf } from './tasks/png.js';
import { startWorkers } from './tasks/start-workers.js';

const [width, height, strips] = [480, 360, 6];
const rows = height / strips;
const names = Array.from({ length: strips }, (_, index) => `strip ${index}`);
const picture = unordered('mandelbrot').addAll(
  names.map((name, index) => computeStrip({ name, width, height, firstRow: index * rows, rows })),
);

const workers = await startWorkers({ left: './mandelbrot.js', right: './mandelbrot.js' });
try {
  const options = { engine: 'workers', url: workers.url, exchange: 'examples', topics: ['left', 'right'] } as const;
  const results = await engines.run(picture, options);
  const shades = new Uint8Array(width * height);
  names.forEach((name, index) => shades.set(results[name] as Uint8Array, index * rows * width));

  // Kept when the program is given a name for it.
  const [wanted] = process.argv.slice(2);
  if (wanted !== undefined) await writeFile(wanted, pngOf(width, height, shades));
  console.log(`${width} × ${height} points in ${strips} strips`);
  console.log(`${shades.filter((shade) => shade === 0).length} points never leave`);
  console.log(`shades: ${createHash('sha256').update(shades).digest('hex').slice(0, 16)}`);
} finally {
  await workers.stop();
}
