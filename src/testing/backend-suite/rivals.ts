import { ok } from 'node:assert/strict';
import { task } from '../../atoms/function-task.js';
import { load } from '../../engines/load.js';
import { StorageConflictError } from '../../errors.js';
import { linear } from '../../flows/linear.js';
import { unordered } from '../../flows/unordered.js';
import type { PersistenceBackend, UnitOfWork } from '../../persistence/backend.js';
import { createFlowDetail } from '../../persistence/books.js';
import type { FlowDetail } from '../../persistence/details.js';
import { usingConnection } from '../../persistence/using-connection.js';
import { same } from '../checks.js';
import { interrupting } from '../interrupting-backend.js';
import { settled, virtualEnvironment } from '../virtual-environment.js';
import { seededRandom } from '../seeded-random.js';
import type { Suite } from './suite.js';
import { connectTo } from './suite.js';
import { isReserved } from '../../storage/reserved.js';

export interface Rivalry {
  /** The flow: tasks side by side, as many as each number says, one group after the other. */
  readonly groups: readonly number[];
  readonly engines: readonly ['serial' | 'parallel', 'serial' | 'parallel'];
  /** Commits of the first engine before the second is loaded. */
  readonly headStart: number;
  /** Of the order in which their commits are let through. */
  readonly seed: number;
}

type Rival = 'first' | 'second';

interface Made {
  readonly by: Rival;
  readonly unit: UnitOfWork;
}

/** Lets commits through one at a time, in an order that a seed says. */
class Turnstile {
  /** What went through and was accepted. */
  readonly made: Made[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #random: () => number;
  #isTurning = false;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  async pass(by: Rival, unit: UnitOfWork, commit: () => Promise<void>): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isTurning) void this.#turn();
    });
    await commit();
    this.made.push({ by, unit });
  }

  async #turn(): Promise<void> {
    this.#isTurning = true;
    while (this.#waiting.length > 0) {
      await settled();
      const [next] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
      next?.();
    }
    this.#isTurning = false;
  }
}

/**
 * Has two engines run the same run at the same time.
 *
 * @throws {AssertionError} unless exactly one goes on to the end, the other is told of the conflict and stops, nothing
 * runs that its engine has not marked first, and nothing that was committed is overwritten.
 */
export async function rivalry(
  backends: Readonly<Record<Rival, PersistenceBackend>>,
  { groups, engines, headStart, seed }: Rivalry,
): Promise<void> {
  const turnstile = new Turnstile(seed);
  const stopped = new Set<Rival>();
  const wrong: string[] = [];

  const flowOf = (by: Rival, { atoms }: FlowDetail) => {
    const work = (name: string) =>
      task({
        name,
        execute: async () => {
          if (stopped.has(by)) wrong.push(`${name} was begun by the ${by} engine, which had stopped`);
          // By itself, or by the other before it took the run up.
          const own = turnstile.made.flatMap((made) => (made.by === by ? made.unit.atoms : []));
          if (![...atoms, ...own].some((atom) => atom.name === name && atom.state === 'RUNNING'))
            wrong.push(`${name} was not marked by the ${by} engine`);
          await settled();
          return `${name} by the ${by} engine`;
        },
      });
    return linear('f').addAll(
      groups.map((size, group) =>
        unordered(`group ${group}`).addAll(Array.from({ length: size }, (_, index) => work(`task ${group}.${index}`))),
      ),
    );
  };

  const started = (by: Rival, flowDetail: FlowDetail, onCommitted?: () => void) => {
    const backend = interrupting(backends[by], {
      async onCommit(_n, unit, commit) {
        await turnstile.pass(by, unit, commit);
        onCommitted?.();
      },
    });
    const environment = virtualEnvironment({ prefix: `${flowDetail.uuid}-${by}`, advancesByItself: true });
    const engine = engines[by === 'first' ? 0 : 1];
    return load(flowOf(by, flowDetail), { backend, flowDetail, environment, engine }).then(async (made) => {
      const end = await made.run().catch((error: unknown) => {
        stopped.add(by);
        return error;
      });
      await made.close();
      return end;
    });
  };

  const { flowDetail } = await createFlowDetail('f', { backend: backends.first });
  const stored = (backend: PersistenceBackend) =>
    usingConnection(backend, (connection) => connection.getFlowDetail(flowDetail.uuid));
  let commits = 0;
  let second: Promise<{ end: unknown; isLate: boolean }> | undefined;
  const startSecond = () =>
    (second ??= stored(backends.second).then(async (detail) => ({
      end: await started('second', detail),
      isLate: detail.state === 'SUCCESS',
    })));
  if (headStart === 0) void startSecond();
  const first = await started('first', flowDetail, () => {
    commits += 1;
    if (commits >= headStart) void startSecond();
  });
  const { end, isLate } = await startSecond();
  const ends = { first, second: end };

  const loser = first === 'SUCCESS' ? 'second' : 'first';
  const winner = loser === 'first' ? 'second' : 'first';
  same(ends[winner], 'SUCCESS');
  // Loaded when the first had come to its end, the second has nothing to do.
  if (isLate) same(ends[loser], 'SUCCESS');
  else ok(ends[loser] instanceof StorageConflictError, `the ${loser} engine ended with ${String(ends[loser])}`);
  same(wrong, []);
  same(overwritten(turnstile.made), []);
  const { state, atoms: records, revision } = await stored(backends.first);
  const atoms = records.filter(({ name }) => !isReserved(name));
  same([state, revision], ['SUCCESS', turnstile.made.length]);
  same(new Set(atoms.map((atom) => atom.state)), new Set(['SUCCESS']));
  same(
    atoms.length,
    groups.reduce((sum, size) => sum + size, 0),
  );
}

/** Results that were committed, and were others later. */
function overwritten(made: readonly Made[]): string[] {
  const results = new Map<string, unknown>();
  return made.flatMap(({ by, unit }) =>
    unit.atoms.flatMap(({ name, state, results: result }) => {
      if (results.has(name) && (state !== 'SUCCESS' || results.get(name) !== result)) return [`${name} by the ${by}`];
      if (state === 'SUCCESS') results.set(name, result);
      return [];
    }),
  );
}

/** What a backend promises to two engines that run the same run (C5). */
export function rivalPromises({ describe, test }: Suite): void {
  describe('two engines on one run', () => {
    for (const [name, headStart] of [
      ['loaded at the same time', 0],
      ['of which one comes later', 3],
    ] as const) {
      test(`${name}: one goes on, the other is told and stops`, async ({ open, reopen }) => {
        const first = await open();
        await connectTo(first);
        const backends = { first, second: await reopen(first) };
        for (let seed = 1; seed <= 6; seed++) {
          const engines = seed % 2 === 0 ? (['serial', 'parallel'] as const) : (['parallel', 'serial'] as const);
          await rivalry(backends, { groups: [1, 3, 2], engines, headStart, seed });
        }
      });
    }
  });
}
