import type { FlowState } from '../../machines/index.js';
import type { Engine } from '../engines/engine.js';
import { StorageConflictError, StorageError } from '../errors.js';
import { formatError } from '../failure.js';
import type { Failure } from '../failure.js';
import { formatRun } from '../formatters/run-text.js';
import { printable } from '../formatters/terminal-text.js';
import { maskValues, valueText } from '../formatters/value-text.js';
import type { FailureNotesOptions } from './failure-notes.js';
import type { Performed } from './perform.js';
import { resumeCommand } from './run-origin.js';
import type { Session } from './session.js';

/** What a run came to, as a document. */
export interface RunDocument {
  readonly run: string;
  readonly flow: string;
  readonly state: FlowState;
  /** By symbol: what was given and what atoms provided. */
  readonly results: unknown;
  readonly failures: readonly FailureDocument[];
  /** What was thrown when that was no failure of an atom. */
  readonly error?: string;
  /** The command that goes on with it. */
  readonly resume?: string;
}

export interface FailureDocument {
  readonly atom: string;
  readonly phase: 'execute' | 'revert';
  readonly failure: unknown;
}

/** Answers with what came of a run: results on stdout, what went wrong on stderr. */
export function report(engine: Engine, performed: Performed, session: Session, options: FailureNotesOptions): void {
  const { storage } = engine;
  const { state, error, failures } = performed;
  const masked = new Set(options.maskKeys ?? []);
  const results = maskValues(storage.fetchAll(), masked);
  const failed = [
    ...documentsOf('execute', storage.getExecuteFailures()),
    ...documentsOf('revert', storage.getRevertFailures()),
  ];
  const isOfAtoms = failed.length > 0 && !(error instanceof StorageError);
  const canGoOn = storage.isDurable && (state === 'SUSPENDED' || state === 'FAILURE' || error instanceof StorageError);
  const resume = resumeCommand(storage.flowUuid, session);

  if (failures !== '') session.complain(failures);
  if (error !== undefined && !isOfAtoms) session.complain(printableLines(formatError(error)));
  if (error instanceof StorageConflictError) session.complain('Another process has taken the run over.');
  if (failed.length > 0) session.say(printableLines(formatRun(engine, options)));
  if (canGoOn) session.complain(`${nameOf(state)} Go on with: ${resume}`);
  else if (state === 'SUSPENDED') session.complain('Suspended. It was kept in memory only, and is gone.');

  const document: RunDocument = {
    run: storage.flowUuid,
    flow: storage.flowName,
    state,
    results,
    failures: failed,
    ...(error !== undefined && !isOfAtoms ? { error: formatError(error, { type: true }) } : {}),
    ...(canGoOn ? { resume } : {}),
  };
  session.answer(document, state === 'SUCCESS' ? resultLines(results) : '');
}

function nameOf(state: FlowState): string {
  if (state === 'SUSPENDED') return 'Suspended.';
  return state === 'FAILURE' ? 'Not everything could be reverted or resolved.' : 'The run broke off.';
}

function resultLines(results: unknown): string {
  return Object.entries(Object(results) as Record<string, unknown>)
    .map(([name, value]) => `${printable(name)}: ${printable(valueText(value, { maxLength: 2000 }))}`)
    .join('\n');
}

function documentsOf(phase: 'execute' | 'revert', failures: ReadonlyMap<string, Failure>): FailureDocument[] {
  return Array.from(failures, ([atom, failure]) => ({ atom, phase, failure: failure.toRecord() }));
}

export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
