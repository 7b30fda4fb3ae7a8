import { memoryBackend } from '../../src/persistence/backends/memory.js';
import type { ConformanceCase } from '../conformance/case.js';
import { violations } from '../conformance/invariants.js';
import { isObject, member } from '../conformance/json.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { recordCase } from '../conformance/runner.js';
import type { EngineSettings, RunRecord } from '../conformance/session.js';

/** What came of the run of a generated case. */
export interface Recorded {
  readonly run: RunRecord;
  /** The flow's state after each run. */
  readonly states: readonly unknown[];
  /** What no engine may do, and was done. */
  readonly wrong: readonly string[];
}

/**
 * Ends the tasks of a parallel engine in an order of its own: whenever nothing else can go on, one of those that are
 * under way is picked.
 */
class Shuffler {
  readonly #random: () => number;
  readonly #waiting: (() => void)[] = [];
  #isTurning = false;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  readonly pause = (): Promise<void> =>
    new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isTurning) void this.#turn();
    });

  async #turn(): Promise<void> {
    this.#isTurning = true;
    while (this.#waiting.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
      next?.();
    }
    this.#isTurning = false;
  }
}

/** What the atoms of generated cases throw, and what a retry does that has no value left. */
const THROWN: ReadonlySet<unknown> = new Set(['RuntimeError', 'ValueError', 'NotFound', 'WrappedFailure']);

/** Says so when a run threw something that no atom did. */
function strangeEnd({ end }: RunRecord): string[] {
  const raised = isObject(end) ? member(end, 'raised') : undefined;
  if (raised === undefined || (isObject(raised) && THROWN.has(member(raised, 'type')))) return [];
  // A failure below a retry that was ignored: `decisions.test.ts` has it by itself.
  if (isObject(raised) && String(member(raised, 'message')).includes('has made no attempt')) return [];
  return [`the run threw ${JSON.stringify(raised)}`];
}

const SERIAL: EngineSettings = { engine: 'serial', checkpoint: 'round', interpreter: 'compiled' };

export interface Recording extends Partial<EngineSettings> {
  /** For the parallel engine. @default none: tasks end where they are submitted */
  readonly interleaving?: number;
}

/** Runs a generated case; what came of its last run. */
export async function recorded(
  test: ConformanceCase,
  { interleaving, ...settings }: Recording = {},
): Promise<Recorded> {
  const shuffler = interleaving === undefined ? undefined : new Shuffler(interleaving);
  const options = { ...SERIAL, ...settings, backend: memoryBackend(), pause: shuffler?.pause };
  const { record, problems } = await recordCase(test, options);
  const run = record.runs.at(-1);
  if (!isRunRecord(run)) throw new Error(`the case was not run: ${JSON.stringify(record.build)}`);
  return {
    run,
    states: record.runs.map((each) => (isRunRecord(each) ? each.flowState : null)),
    wrong: [...problems, ...violations(test, record), ...strangeEnd(run)],
  };
}

function isRunRecord(run: unknown): run is RunRecord {
  return isObject(run) && member(run, 'trace') !== undefined;
}
