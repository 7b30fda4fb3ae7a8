import type { TerminalStream } from '../../src/listeners/live-block.js';

/** A terminal: what it shows follows from what was written, by the few orders that are obeyed here. */
export class Screen implements TerminalStream {
  /** Everything that was written. */
  written = '';
  /** How often. */
  writes = 0;
  #lines: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(
    readonly columns = 80,
    readonly rows = 24,
    readonly isTTY = true,
  ) {}

  write(text: string): void {
    this.written += text;
    this.writes += 1;
    for (const [part] of text.matchAll(/\u001b\[\d*[A-Za-z]|[\s\S]/gu)) this.#obey(part);
  }

  #obey(part: string): void {
    const up = /^\u001b\[(\d+)A$/.exec(part);
    if (up !== null) {
      this.#row -= Number(up[1]);
      if (this.#row < 0) throw new Error('above the top of the screen');
    } else if (part === '\r') this.#column = 0;
    else if (part === '\n') {
      this.#row += 1;
      this.#column = 0;
      this.#lines[this.#row] ??= '';
    } else if (part === '\u001b[K') this.#lines[this.#row] = this.#line.slice(0, this.#column);
    else if (part === '\u001b[J') {
      this.#lines[this.#row] = this.#line.slice(0, this.#column);
      this.#lines.length = this.#row + 1;
    } else if (part.startsWith('\u001b')) throw new Error(`an order that nobody should give: ${JSON.stringify(part)}`);
    else {
      const line = this.#line;
      this.#lines[this.#row] = line.slice(0, this.#column) + part + line.slice(this.#column + part.length);
      this.#column += part.length;
    }
  }

  get #line(): string {
    return this.#lines[this.#row] ?? '';
  }

  /** What can be read now; the last line is the one that the cursor is in. */
  get lines(): readonly string[] {
    return [...this.#lines];
  }
}
