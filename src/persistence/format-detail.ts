import type { AtomDetail, FlowDetail, LogBook, Meta } from './details.js';

export interface FormatDetailOptions {
  /** Spaces before each line. @default 0 */
  readonly indent?: number;
  /** Whether results and metadata are written as they are. They may be secrets, and such texts end up in logs. @default false */
  readonly showValues?: boolean;
}

/**
 * A book, a run or an atom as indented text. For people: nothing reads it back.
 *
 * @param detail - Which of the three it is is seen by what it holds.
 * @see TaskFlow `persistence/models.py`, `pformat`. Differs: values are shown only when that is asked for.
 */
export function formatDetail(
  detail: LogBook | FlowDetail | AtomDetail,
  { indent = 0, showValues = false }: FormatDetailOptions = {},
): string {
  const margin = ' '.repeat(indent);
  return linesOf(detail, showValues ? textOf : kindOf)
    .map((line) => margin + line)
    .join('\n');
}

type Write = (value: unknown) => string;

function linesOf(detail: LogBook | FlowDetail | AtomDetail, write: Write): string[] {
  if ('flows' in detail) return linesOfBook(detail, write);
  return 'atoms' in detail ? linesOfFlow(detail, write) : linesOfAtom(detail, write);
}

function linesOfBook(book: LogBook, write: Write): string[] {
  return [
    `LogBook: '${book.name}'`,
    ` - uuid = ${book.uuid}`,
    ` - createdAt = ${dateOf(book.createdAt)}`,
    ` - updatedAt = ${book.updatedAt === null ? 'null' : dateOf(book.updatedAt)}`,
    ...linesOfMeta(book.meta, write),
    ...book.flows.flatMap((flow) => linesOfFlow(flow, write)).map(indented),
  ];
}

function linesOfFlow(flow: FlowDetail, write: Write): string[] {
  return [
    `FlowDetail: '${flow.name}'`,
    ` - uuid = ${flow.uuid}`,
    ` - state = ${flow.state}`,
    ` - revision = ${flow.revision}`,
    ...linesOfMeta(flow.meta, write),
    ...flow.atoms.flatMap((atom) => linesOfAtom(atom, write)).map(indented),
  ];
}

function linesOfAtom(atom: AtomDetail, write: Write): string[] {
  const results = atom.kind === 'retry' ? atom.results.map(({ provided }) => provided) : atom.results;
  return [
    `${atom.kind === 'retry' ? 'RetryDetail' : 'TaskDetail'}: '${atom.name}'`,
    ` - uuid = ${atom.uuid}`,
    ` - state = ${atom.state}`,
    ` - intention = ${atom.intention}`,
    ` - version = ${atom.version}`,
    ` - results = ${write(results)}`,
    ` - failure = ${atom.failure !== null}`,
    ...linesOfMeta(atom.meta, write),
  ];
}

function linesOfMeta(meta: Meta, write: Write): string[] {
  const entries = Object.entries(meta);
  if (entries.length === 0) return [];
  return [' - metadata:', ...entries.map(([key, value]) => `  + ${key} = ${metaTextOf(key, value, write)}`)];
}

function metaTextOf(key: string, value: unknown, write: Write): string {
  return key === 'progress' && typeof value === 'number' ? `${(value * 100).toFixed(2)}%` : write(value);
}

function dateOf(time: number): string {
  return new Date(time).toISOString();
}

/** One line, whatever the value; results may hold what JSON cannot write. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    const text: unknown = JSON.stringify(value);
    return typeof text === 'string' ? text : String(value);
  } catch {
    return String(value);
  }
}

/** What is there, without saying what it is. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `(${value.length} in a list)`;
  return typeof value === 'object' ? '(an object)' : `(a ${typeof value})`;
}

const indented = (line: string) => ` ${line}`;
