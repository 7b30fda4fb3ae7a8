import { clipped } from '../formatters/terminal-text.js';
import type { Printer } from './printing-listener.js';

/** What is drawn on: `process.stderr`, or whatever a test puts in its place. */
export interface TerminalStream extends Printer {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** A terminal may not know how large it is, and says 0. */
const USUAL = { columns: 80, rows: 24 };

/**
 * Lines at the end of what is on a terminal, which are drawn again and again.
 *
 * The cursor is never hidden, and stands below the lines after each drawing: whatever ends the process, nothing has to
 * be put right.
 */
export class LiveBlock {
  #height = 0;

  constructor(private readonly stream: TerminalStream) {}

  /** How many lines fit. */
  get rows(): number {
    return (this.#size('rows') || USUAL.rows) - 1;
  }

  draw(lines: readonly string[]): void {
    const columns = (this.#size('columns') || USUAL.columns) - 1;
    const drawn = lines.slice(0, this.rows).map((line) => `${clipped(line, columns)}\u001b[K\n`);
    this.stream.write(`${this.#toTop()}${drawn.join('')}\u001b[J`);
    this.#height = drawn.length;
  }

  /** Takes the lines away. */
  clear(): void {
    if (this.#height > 0) this.stream.write(`${this.#toTop()}\u001b[J`);
    this.#height = 0;
  }

  #size(name: 'columns' | 'rows'): number {
    return this.stream[name] ?? 0;
  }

  #toTop(): string {
    return this.#height === 0 ? '' : `\u001b[${this.#height}A\r`;
  }
}
