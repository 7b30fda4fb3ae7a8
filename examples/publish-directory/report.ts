import pico from 'picocolors';

const DEFAULT_COLUMNS = 80;
const BAR = 20;

/** What is written to: `process.stdout`, or whatever a test puts in its place. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Tells of a run: on a terminal one line that is drawn again and again, elsewhere a line for each atom.
 */
export class Report {
  readonly #output: Output;
  readonly #isLive: boolean;
  readonly #colours: ReturnType<typeof pico.createColors>;
  #total = 0;
  #done = 0;
  #drawn = false;

  constructor(output: Output, { isDumb = process.env['TERM'] === 'dumb' }: { readonly isDumb?: boolean } = {}) {
    this.#output = output;
    this.#isLive = output.isTTY === true && !isDumb;
    // By itself picocolors colours what goes into a file, too, where an environment says that it is CI.
    this.#colours = pico.createColors(this.#isLive && pico.isColorSupported);
  }

  /** A line that stays. */
  line(text = ''): void {
    this.clear();
    this.#output.write(`${text}\n`);
  }

  /** How many atoms there are, and how many of them had finished before. */
  begin(total: number, finished: number): void {
    this.#total = total;
    this.#done = finished;
  }

  finished(atom: string): void {
    this.#done += 1;
    const count = `${String(this.#done).padStart(String(this.#total).length)}/${this.#total}`;
    if (!this.#isLive) this.line(`  ${count} ${printable(atom)}`);
    else this.#draw(`${bar(this.#done / this.#total)} ${count} ${printable(atom)}`);
  }

  /** How far one atom is that takes a while. A terminal is told. */
  progress(atom: string, share: number): void {
    if (this.#isLive) {
      this.#draw(`${bar(this.#done / this.#total)} ${printable(atom)}: ${Math.floor(share * 100)} %`);
    }
  }

  failed(atom: string): void {
    this.line(this.#colours.red(`  FAILED ${printable(atom)}`));
  }

  /** @param text - May have several lines. */
  problem(text: string): void {
    for (const line of text.split('\n')) this.line(this.#colours.red(printable(line)));
  }

  /** @param count - How many were reverted so far. */
  reverted(atom: string, count: number): void {
    if (this.#isLive) this.#draw(`${this.#colours.yellow('reverting')} ${count} ${printable(atom)}`);
    else this.line(`  reverted ${printable(atom)}`);
  }

  table(rows: readonly (readonly [label: string, value: string])[]): void {
    const width = Math.max(...rows.map(([label]) => label.length));
    this.line();
    for (const [label, value] of rows) this.line(`  ${this.#colours.dim(label.padEnd(width))}  ${printable(value)}`);
  }

  /** A terminal may not know how wide it is, and says 0. */
  get #columns(): number {
    const { columns = 0 } = this.#output;
    return columns > 0 ? columns : DEFAULT_COLUMNS;
  }

  #draw(text: string): void {
    this.#output.write(`\r${clipped(text, this.#columns - 1)}\u001b[K`);
    this.#drawn = true;
  }

  /** Takes away what was drawn and does not stay. */
  clear(): void {
    if (this.#drawn) this.#output.write('\r\u001b[K');
    this.#drawn = false;
  }
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR);
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`;
}

/** Names of files may hold anything, also what a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) =>
    character === '\n' ? '\\n' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** As much as certainly fits: whatever is not plain Latin may take two columns. */
function clipped(text: string, columns: number): string {
  let width = 0;
  let result = '';
  for (const part of text.match(/\u001b\[\d+m|./gsu) ?? []) {
    if (!part.startsWith('\u001b')) width += /^[\u0020-\u02ff\u2500-\u259f]$/u.test(part) ? 1 : 2;
    if (width > columns) break;
    result += part;
  }
  return result;
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
