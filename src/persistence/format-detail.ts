import type { AtomDetail, FlowDetail, LogBook, Meta } from './details.js';

/**
 * A book, a run or an atom as indented text, with everything in it. For people: nothing reads it back.
 *
 * @param detail - Which of the three it is is seen by what it holds.
 * @param options.indent - Spaces before each line. Default: 0.
 */
export function formatDetail(
  detail: LogBook | FlowDetail | AtomDetail,
  { indent = 0 }: { indent?: number } = {},
): string {
  const lines = 'flows' in detail ? linesOfBook(detail) : 'atoms' in detail ? linesOfFlow(detail) : linesOfAtom(detail);
  const margin = ' '.repeat(indent);
  return lines.map((line) => margin + line).join('\n');
}

function linesOfBook(book: LogBook): string[] {
  return [
    `LogBook: '${book.name}'`,
    ` - uuid = ${book.uuid}`,
    ` - createdAt = ${dateOf(book.createdAt)}`,
    ` - updatedAt = ${book.updatedAt === null ? 'null' : dateOf(book.updatedAt)}`,
    ...linesOfMeta(book.meta),
    ...book.flows.flatMap(linesOfFlow).map(indented),
  ];
}

function linesOfFlow(flow: FlowDetail): string[] {
  return [
    `FlowDetail: '${flow.name}'`,
    ` - uuid = ${flow.uuid}`,
    ` - state = ${flow.state}`,
    ` - revision = ${flow.revision}`,
    ...linesOfMeta(flow.meta),
    ...flow.atoms.flatMap(linesOfAtom).map(indented),
  ];
}

function linesOfAtom(atom: AtomDetail): string[] {
  const results = atom.kind === 'retry' ? atom.results.map(({ provided }) => provided) : atom.results;
  return [
    `${atom.kind === 'retry' ? 'RetryDetail' : 'TaskDetail'}: '${atom.name}'`,
    ` - uuid = ${atom.uuid}`,
    ` - state = ${atom.state}`,
    ` - intention = ${atom.intention}`,
    ` - version = ${atom.version}`,
    ` - results = ${textOf(results)}`,
    ` - failure = ${atom.failure !== null}`,
    ...linesOfMeta(atom.meta),
  ];
}

function linesOfMeta(meta: Meta): string[] {
  const entries = Object.entries(meta);
  if (entries.length === 0) return [];
  return [' - metadata:', ...entries.map(([key, value]) => `  + ${key} = ${metaTextOf(key, value)}`)];
}

function metaTextOf(key: string, value: unknown): string {
  return key === 'progress' && typeof value === 'number' ? `${(value * 100).toFixed(2)}%` : textOf(value);
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

const indented = (line: string) => ` ${line}`;
