import type { PersistenceBackend } from '../../src/persistence/backend.js';
import type { Executor } from '../../src/executors/executor.js';
import { isReserved } from '../../src/storage/reserved.js';
import { compareCase, describeDifference } from './compare.js';
import type { CaseRecord, Strictness } from './compare.js';
import type { ConformanceCase } from './case.js';
import { atomsAfter, encodeCompilation, encodeSymbols } from './compiled-record.js';
import { describeThrown } from './error-kinds.js';
import { violations } from './invariants.js';
import { isObject, member, sameJson } from './json.js';
import { seedFrom } from './random.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { encodeAtoms } from './recorder.js';
import { BuildError, Session } from './session.js';
import type { EngineSettings, RunRecord, SessionOptions } from './session.js';

/** How the cases are run, and how strictly they are compared. */
export interface Settings {
  readonly engine: EngineSettings['engine'];
  readonly interpreter: EngineSettings['interpreter'];
  /** null: cases without a crash are run with both. A case with a crash always has `change`. */
  readonly checkpoint: EngineSettings['checkpoint'] | null;
  readonly lenient: boolean;
  /** Threads or processes in which tasks are run; null, or nothing: the event loop. For the parallel engine. */
  readonly pool?: Executor | null;
  /** Longest time for one case, in milliseconds. */
  readonly timeoutMs: number;
  /** Gives the store for one case. Closed by whoever closes all. */
  openBackend(): Promise<PersistenceBackend>;
}

/** Turns of the event loop that a task of a parallel engine takes at most, less one. */
const MOST_TURNS = 8;

/** Lets tasks of a parallel engine take different times: always the same ones for the same case. */
function pauseOf(test: ConformanceCase): () => Promise<void> {
  const random = seededRandom(seedFrom(`${test.group}/${test.name}`));
  return async () => {
    for (let turns = Math.floor(random() * MOST_TURNS); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
}

/** The record of a case, and what was wrong beside what the case says. */
interface Recording {
  readonly record: CaseRecord;
  readonly problems: readonly string[];
}

/** Runs a case from its beginning to its end. */
export async function recordCase(test: ConformanceCase, options: SessionOptions): Promise<Recording> {
  const session = new Session(test, options);
  try {
    return await recordIn(session, test);
  } finally {
    await session.close();
  }
}

async function recordIn(session: Session, test: ConformanceCase): Promise<Recording> {
  let loadError: unknown;
  try {
    await session.start();
  } catch (error) {
    if (error instanceof BuildError)
      return { record: { build: { raised: describeThrown(error.cause) }, runs: [] }, problems: [] };
    loadError = error;
  }
  const runs: RunRecord[] = [];
  const problems: string[] = [];
  let compiled: unknown;
  let after: CaseRecord['after'];
  if (loadError !== undefined) {
    const end = { raised: describeThrown(loadError) };
    return {
      record: { build: { ok: true }, runs: [{ end, trace: [], flowState: undefined, atoms: undefined }] },
      problems,
    };
  }
  if (test.runs.length === 0) compiled = compileOnly(session);
  for (const [index, run] of test.runs.entries()) {
    try {
      if (run.engine === 'new') await session.restart(run.flow);
    } catch (error) {
      runs.push({ end: { raised: describeThrown(error) }, trace: [], ...(await session.storedAftermath()) });
      continue;
    }
    const record = await session.perform(run, index === 0 ? test.seed : []);
    runs.push(record);
    problems.push(...(await notStored(session, record)).map((problem) => `runs[${index}].${problem}`));
    const compilation = session.engine?.compilation;
    if (index > 0 || compilation === null || compilation === undefined) continue;
    compiled = encodeCompilation(compilation);
    after = atomsAfter(compilation);
  }
  const symbols = encodeSymbols(session.firstRoot);
  const record = { build: { ok: true }, runs, ...(compiled === undefined ? {} : { compiled }), symbols };
  return { record: { ...record, ...(after === undefined ? {} : { after }) }, problems };
}

function compileOnly({ engine }: Session): unknown {
  try {
    engine?.compile();
  } catch (error) {
    return { raised: describeThrown(error) };
  }
  return engine?.compilation === null || engine === null ? undefined : encodeCompilation(engine.compilation);
}

/** What an engine knows at the end of a run and did not store: another engine would go on from something else. */
async function notStored(session: Session, record: RunRecord): Promise<string[]> {
  if (session.isDead) return [];
  const { state, atoms } = await session.stored();
  const stored = encodeAtoms(atoms.filter(({ name }) => !isReserved(name)));
  const problems: string[] = [];
  if (!sameJson(state ?? 'PENDING', record.flowState))
    problems.push(`flowState: ${String(record.flowState)} was stored as ${String(state)}`);
  const known = isObject(record.atoms) ? record.atoms : {};
  for (const name of new Set([...Object.keys(known), ...Object.keys(stored)])) {
    const [inMemory, inStore] = [member(known, name), member(stored, name)];
    if (!sameJson(inMemory, inStore)) {
      problems.push(`atoms.${name}: ${JSON.stringify(inMemory)} was stored as ${JSON.stringify(inStore)}`);
    }
  }
  return problems;
}

/** Whether a run of a case dies. */
function hasCrash(test: ConformanceCase): boolean {
  return test.runs.some(({ crashAt, crashOn }) => crashAt !== undefined || crashOn !== undefined);
}

function checkpointsOf(test: ConformanceCase, settings: Settings): readonly EngineSettings['checkpoint'][] {
  if (hasCrash(test)) return ['change'];
  return settings.checkpoint === null ? ['round', 'change'] : [settings.checkpoint];
}

function strictnessOf(settings: Settings): Strictness {
  if (settings.engine === 'parallel') return 'parallel';
  return settings.lenient ? 'lenient' : 'exact';
}

/**
 * Runs a case and compares.
 *
 * @returns What is wrong; nothing for a case that passes.
 */
async function checkCase(test: ConformanceCase, settings: Settings): Promise<string[]> {
  const { engine, interpreter, pool = null } = settings;
  const strictness = strictnessOf(settings);
  const wrong: string[] = [];
  for (const checkpoint of checkpointsOf(test, settings)) {
    const record = async (pause?: () => Promise<void>) => {
      const backend = await settings.openBackend();
      return recordCase(test, { engine, interpreter, checkpoint, backend, pause, pool });
    };
    const recorded = await record();
    const found = [...compareCase(test, recorded.record, strictness)].map(describeDifference).concat(recorded.problems);
    if (engine === 'parallel') {
      found.push(...violations(test, recorded.record));
      // Where tasks take different times, how a run ends may depend on them; the invariants may not.
      const overlapping = await record(pauseOf(test));
      found.push(...overlapping.problems, ...violations(test, overlapping.record));
    }
    wrong.push(...found.map((reason) => (checkpoint === 'round' ? reason : `${reason} (checkpoint: change)`)));
  }
  return wrong;
}

/** Something took too long. */
class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** Ends what takes too long. What it did goes on, unheard. */
async function withinTime<Result>(timeoutMs: number, make: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(`did not end within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([make(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Does something with a case; what it throws, or that it takes too long, is a reason to fail the case. */
export async function orReason<Result>(
  timeoutMs: number,
  make: () => Promise<Result>,
  fail: (reason: string) => Result,
): Promise<Result> {
  try {
    return await withinTime(timeoutMs, make);
  } catch (error) {
    if (error instanceof TimeoutError) return fail(error.message);
    return fail(`cannot be run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

/** As `checkCase`; a case that throws or takes too long fails, with the reason. */
export function judgeCase(test: ConformanceCase, settings: Settings): Promise<string[]> {
  return orReason(
    settings.timeoutMs,
    () => checkCase(test, settings),
    (reason) => [reason],
  );
}
