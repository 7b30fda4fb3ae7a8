import pico from 'picocolors';
import { printable } from 'flowstate';

/** What is written to: `process.stdout`, or whatever a test puts in its place. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** Says what is to be said before and after a run. */
export class Report {
  readonly output: Output;
  readonly #colours: ReturnType<typeof pico.createColors>;

  constructor(output: Output) {
    this.output = output;
    const canColour = output.isTTY === true && process.env['TERM'] !== 'dumb';
    // By itself picocolors colours what goes into a file, too, where an environment says that it is CI.
    this.#colours = pico.createColors(canColour && pico.isColorSupported);
  }

  line(text = ''): void {
    this.output.write(`${text}\n`);
  }

  /** @param text - May have several lines. */
  problem(text: string): void {
    for (const line of text.split('\n')) this.line(this.#colours.red(printable(line)));
  }

  table(rows: readonly (readonly [label: string, value: string])[]): void {
    const width = Math.max(...rows.map(([label]) => label.length));
    this.line();
    for (const [label, value] of rows) this.line(`  ${this.#colours.dim(label.padEnd(width))}  ${printable(value)}`);
  }
}

/** A number of bytes as a person would say it. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
