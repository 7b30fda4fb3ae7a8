import type { Executor } from '../../src/executors/executor.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { atomsOf } from './behaviours.js';
import { CallCounts } from './call-counts.js';
import type { CaseNode, ConformanceCase, Run } from './case.js';
import { asText, isObject, member, sameJson } from './json.js';
import type { CommitObserver, Process } from './process.js';
import { BuildError, Session } from './session.js';
import type { EngineSettings, RunRecord } from './session.js';

/*
 * C6: any prefix of the commits of a run is a state from which a new engine reaches the same end. The process
 * dies at every commit, once before it is applied and once after; what was stored is loaded and run on.
 */

export interface CrashReport {
  /** Places at which the process died. */
  readonly points: number;
  /** How many of them came to the same end. */
  readonly resumed: number;
  /** What is wrong. */
  readonly reasons: readonly string[];
  /** Why the case was left out, or was cut short. */
  readonly note: string | null;
}

export interface CrashSettings {
  readonly engine: EngineSettings['engine'];
  readonly interpreter: EngineSettings['interpreter'];
  readonly pool?: Executor | null;
  openBackend(): Promise<PersistenceBackend>;
}

/** The runs of a case that can be interrupted anywhere, and why not all of them. */
interface Interruptible {
  readonly runs: readonly Run[];
  readonly note: string | null;
}

function suspendsItself(node: CaseNode): boolean {
  return [...atomsOf(node).values()].some((atom) =>
    [...(atom.execute ?? []), ...(atom.revert ?? [])].some((behaviour) => behaviour.suspend === true),
  );
}

/**
 * What the caller does between runs (a reset, an injection, another flow) it would have to do again after a
 * crash, and a suspension ends a run at a place that a resumed run does not come to. Of a case with such
 * instructions the first run is taken, without them.
 */
function interruptible(test: ConformanceCase): Interruptible {
  const [first] = test.runs;
  if (first === undefined) return { runs: [], note: 'nothing is run' };
  if (test.seed !== undefined) return { runs: [], note: 'begins with seeds' };
  if (suspendsItself(test.flow)) return { runs: [], note: 'a task asks for suspension' };
  if (first.reset !== undefined || first.inject !== undefined)
    return { runs: [], note: 'the first run begins with a call' };
  const isPlain = (run: Run) => Object.keys(run).every((name) => name === 'engine');
  if (test.runs.every(isPlain)) return { runs: test.runs, note: null };
  return { runs: [{}], note: 'only its first run, without instructions' };
}

const ENDED: ReadonlySet<unknown> = new Set(['SUCCESS', 'FAILURE', 'REVERTED']);

/** Counts the commits of one run, and lets the process die at one of them. */
class Countdown implements CommitObserver {
  commits = 0;
  /** Whether what was stored in this run says that it has ended. */
  hasEnded = false;
  /** Atoms whose revert failed in this run, according to what was stored. */
  readonly failedReverts = new Set<string>();
  readonly #counts: CallCounts;
  readonly #last: { readonly commit: number; readonly applied: boolean } | null;

  constructor(counts: CallCounts, last: { readonly commit: number; readonly applied: boolean } | null) {
    this.#counts = counts;
    this.#last = last;
  }

  before(_unit: unknown, process: Process): void {
    this.commits += 1;
    if (this.#last?.commit === this.commits && !this.#last.applied) process.die();
  }

  after(unit: Parameters<CallCounts['committed']>[0], process: Process): void {
    this.#counts.committed(unit);
    for (const { name, state } of unit.atoms) {
      if (state === 'REVERT_FAILURE') this.failedReverts.add(name);
      else this.failedReverts.delete(name);
    }
    if (unit.state !== undefined) this.hasEnded = ENDED.has(unit.state);
    if (this.#last?.commit === this.commits && this.#last.applied) process.die();
  }
}

/** Hands commits on to the countdown of the run that is being made. */
class Switch implements CommitObserver {
  to: CommitObserver = {};

  before(...args: Parameters<Required<CommitObserver>['before']>): void {
    this.to.before?.(...args);
  }

  after(...args: Parameters<Required<CommitObserver>['after']>): void {
    this.to.after?.(...args);
  }
}

interface Uninterrupted {
  /** Commits of each run. */
  readonly commits: readonly number[];
  readonly last: RunRecord | undefined;
  readonly counts: CallCounts;
}

/** Where the process dies. */
interface CrashPoint {
  readonly run: number;
  readonly commit: number;
  readonly applied: boolean;
}

class Drill {
  readonly #test: ConformanceCase;
  readonly #runs: readonly Run[];
  readonly #settings: CrashSettings;

  constructor(test: ConformanceCase, runs: readonly Run[], settings: CrashSettings) {
    this.#test = test;
    this.#runs = runs;
    this.#settings = settings;
  }

  async #session(commits: CommitObserver, counts: CallCounts): Promise<Session> {
    const { engine, interpreter, openBackend, pool = null } = this.#settings;
    return new Session(this.#test, {
      engine,
      interpreter,
      checkpoint: 'round',
      pool,
      backend: await openBackend(),
      commits,
      counts,
    });
  }

  async uninterrupted(): Promise<Uninterrupted> {
    const counts = new CallCounts();
    const commits = new Switch();
    const session = await this.#session(commits, counts);
    try {
      await session.start();
      const perRun: number[] = [];
      let last: RunRecord | undefined;
      for (const run of this.#runs) {
        if (run.engine === 'new') await session.restart();
        const countdown = new Countdown(counts, null);
        commits.to = countdown;
        last = await session.perform({});
        perRun.push(countdown.commits);
      }
      return { commits: perRun, last, counts };
    } finally {
      await session.close();
    }
  }

  /** Dies at a point, goes on, and says how the end differs; null when the point was not come to. */
  async crashAt(point: CrashPoint, whole: Uninterrupted): Promise<string[] | null> {
    const counts = new CallCounts();
    const commits = new Switch();
    const session = await this.#session(commits, counts);
    try {
      await session.start();
      let last: RunRecord | undefined;
      let repeatable: CallCounts['mayBeRepeated'] = () => false;
      for (const [index, run] of this.#runs.entries()) {
        if (run.engine === 'new') await session.restart();
        const countdown = new Countdown(counts, index === point.run ? point : null);
        commits.to = countdown;
        last = await session.perform({});
        if (index !== point.run) continue;
        if (!session.isDead) return null;
        const atCrash = new Map(
          this.#names().map((name) => [
            name,
            [counts.mayBeRepeated('execute', name), counts.mayBeRepeated('revert', name)] as const,
          ]),
        );
        repeatable = (counted, name) => atCrash.get(name)?.[counted === 'execute' ? 0 : 1] ?? false;
        counts.takeBack(countdown.hasEnded ? new Set() : countdown.failedReverts);
        commits.to = new Countdown(counts, null);
        await session.restart();
        if (!countdown.hasEnded) last = await session.perform({});
      }
      return [...differentEnds(whole.last, last), ...this.#repeated(whole.counts, counts, repeatable)];
    } finally {
      await session.close();
    }
  }

  #names(): string[] {
    return [...atomsOf(this.#test.flow).keys()];
  }

  #repeated(whole: CallCounts, counts: CallCounts, repeatable: CallCounts['mayBeRepeated']): string[] {
    return this.#names().flatMap((name) =>
      (['execute', 'revert'] as const).flatMap((counted) => {
        const [once, now] = [whole.total(counted, name), counts.total(counted, name)];
        const most = once + (repeatable(counted, name) ? 1 : 0);
        return now < once || now > most ? [`${counted} of ${name} was called ${now} times, not ${once}`] : [];
      }),
    );
  }
}

/**
 * What is the same of an atom that never ran, whether it ended PENDING or IGNORE: next to a sibling that fails, that
 * depends on which of the two is completed first, and a run that is resumed takes up what was under way in the order
 * of the graph (FORMAT.md 5.2), whatever the order of the wave was. Nothing else may differ.
 */
function asNeverRun(atom: unknown): unknown {
  if (!isObject(atom)) return atom;
  const { state, progress, ...others } = atom;
  const neverRan = state === 'PENDING' || state === 'IGNORE';
  return neverRan && (progress === null || progress === 0) ? { ...others, state: 'never ran' } : atom;
}

function* differentEnds(whole: RunRecord | undefined, resumed: RunRecord | undefined): Generator<string> {
  for (const field of ['flowState', 'fetchAll'] as const) {
    if (!sameJson(whole?.[field], resumed?.[field])) {
      yield `${field}: expected ${asText(whole?.[field])}, got ${asText(resumed?.[field])}`;
    }
  }
  const [expected, actual] = [whole?.atoms, resumed?.atoms];
  if (!isObject(expected) || !isObject(actual)) return;
  for (const name of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const [one, other] = [member(expected, name), member(actual, name)];
    if (sameJson(one, other)) continue;
    if (whole?.flowState === 'REVERTED' && sameJson(asNeverRun(one), asNeverRun(other))) continue;
    yield `atoms.${name}: expected ${asText(one)}, got ${asText(other)}`;
  }
}

/** Lets the process die at every commit of a case's runs and compares the ends. */
export async function checkCrashes(test: ConformanceCase, settings: CrashSettings): Promise<CrashReport> {
  const { runs, note } = interruptible(test);
  if (runs.length === 0) return { points: 0, resumed: 0, reasons: [], note };
  const drill = new Drill(test, runs, settings);
  let whole: Uninterrupted;
  try {
    whole = await drill.uninterrupted();
  } catch (error) {
    if (error instanceof BuildError) return { points: 0, resumed: 0, reasons: [], note: 'the flow cannot be made' };
    throw error;
  }
  const reasons: string[] = [];
  let points = 0;
  let resumed = 0;
  for (const [run, commits] of whole.commits.entries()) {
    for (let commit = 1; commit <= commits; commit++) {
      for (const applied of [false, true]) {
        const different = await drill.crashAt({ run, commit, applied }, whole);
        // The commits of a parallel engine are not always the same.
        if (different === null && settings.engine === 'parallel') continue;
        points += 1;
        if (different?.length === 0) resumed += 1;
        const where = `crash ${applied ? 'after' : 'before'} commit ${commit} of runs[${run}]`;
        reasons.push(...(different ?? ['was not come to again']).map((reason) => `${where}: ${reason}`));
      }
    }
  }
  return { points, resumed, reasons, note };
}
