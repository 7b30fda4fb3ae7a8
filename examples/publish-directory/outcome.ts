import { formatError, printable, StorageConflictError, StorageError } from 'flowstate';
import type { Engine, Failure } from 'flowstate';
import type { Places } from './places.js';
import type { Plan } from './plan.js';
import { bytes } from './report.js';
import type { Report } from './report.js';
import { isFull } from './reserve.js';
import { totalsSchema } from './steps/manifest.js';
import type { Counts } from './watch.js';

/** See `--help`. */
export type ExitCode = 0 | 1 | 3 | 130 | 143;

/** Reasons that are shown. */
const MOST_SHOWN = 5;

/** Says what went wrong, and what has become of it. */
export function explain(error: unknown, { storage }: Engine, { out }: Places, report: Report): ExitCode {
  report.line();
  if (error instanceof StorageError) {
    report.problem(`The state could not be written: ${formatError(error)}`);
    if (error instanceof StorageConflictError) report.line('Another process has taken the run over.');
    else if (isFull(error)) report.line(`The disk is full: make room for ${printable(out)}.`);
    report.line('The same command goes on from what is known.');
    return 3;
  }
  const failures = storage.getExecuteFailures();
  const revertFailures = storage.getRevertFailures();
  list(failures, report);
  if (failures.size === 0 && revertFailures.size === 0) report.problem(formatError(error));
  if (storage.getFlowState() === 'REVERTED') {
    report.line('Everything was reverted: nothing is left in staging, and what was published before is as it was.');
    return 1;
  }
  if (revertFailures.size > 0) {
    report.problem('Not everything could be reverted:');
    list(revertFailures, report);
  }
  report.line('When the cause is gone, the same command tries again.');
  return 3;
}

/** Atoms that failed for the same reason are told of together. */
function list(failures: ReadonlyMap<string, Failure>, report: Report): void {
  const atomsByReason = new Map<string, string[]>();
  for (const [atom, failure] of failures) {
    const reason = formatError(failure);
    const atoms = atomsByReason.get(reason);
    if (atoms === undefined) atomsByReason.set(reason, [atom]);
    else atoms.push(atom);
  }
  for (const [reason, atoms] of [...atomsByReason].slice(0, MOST_SHOWN)) {
    const more = atoms.length > 1 ? ` and ${atoms.length - 1} more` : '';
    report.problem(`${atoms[0] ?? ''}${more} failed: ${reason}`);
  }
  const unsaid = atomsByReason.size - MOST_SHOWN;
  if (unsaid > 0) report.problem(`${unsaid} more failed for other reasons`);
}

export interface Outcome {
  readonly code: ExitCode;
  readonly engine: Engine;
  readonly counts: Counts;
  readonly plan: Plan;
  readonly places: Places;
  /** Where the inspector page of the run is; null when it could not be written. */
  readonly page: string | null;
  readonly tookMs: number;
}

const RESULTS: Readonly<Record<ExitCode, string>> = {
  0: 'published',
  1: 'failed and reverted',
  3: 'failed; not everything is reverted',
  130: 'interrupted; the same command goes on',
  143: 'interrupted; the same command goes on',
};

/** What it all came to. */
export function closingTable({ code, engine, counts, plan, places, page, tookMs }: Outcome, report: Report): void {
  const rows: [label: string, value: string][] = [['result', RESULTS[code]]];
  rows.push(['version', code === 0 ? String(plan.version) : `${plan.version}, not published`]);
  if (code === 0) {
    const { files, size, packedSize } = totalsSchema.parse(engine.storage.fetch('totals'));
    rows.push(['files', String(files)], ['bytes in', bytes(size)], ['bytes out', bytes(packedSize)]);
    rows.push(['ratio', size === 0 ? '-' : `${((100 * packedSize) / size).toFixed(1)} %`]);
  } else rows.push(['files', String(plan.files.length)]);
  rows.push(['atoms', String(counts.total)]);
  rows.push(['executed', `${counts.executed} by this process`]);
  rows.push(['resumed', counts.found + counts.inFlight === 0 ? 'no' : `with ${counts.found} finished already`]);
  rows.push(['reverted', String(counts.reverted)]);
  rows.push(['took', `${(tookMs / 1000).toFixed(2)} s`]);
  if (code === 0) rows.push(['where', places.version(plan.version)]);
  if (page !== null) rows.push(['page', page]);
  // The same file that the command line reads: the run as a tree, with states, times and failures.
  rows.push(['the run', `npx flowstate show ${engine.storage.flowUuid} --backend ${quoted(`sqlite:${places.state}`)}`]);
  report.table(rows);
}

/** As a shell takes it. */
function quoted(text: string): string {
  return /^[\w/:.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
