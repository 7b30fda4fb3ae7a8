import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/environment.js';
import { RequestTimeoutError } from '../../src/errors.js';
import { engines, linear, task, typed, unordered } from '../../src/index.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { virtualEnvironment } from '../../src/testing/virtual-environment.js';
import type { Message } from '../../src/workers/transport.js';
import type { Fate, Passage } from '../../src/workers/transports/memory/faults.js';
import { MemoryBroker } from '../../src/workers/transports/memory/broker.js';
import { Worker } from '../../src/workers/worker/worker.js';
import { committedBy } from './committed.js';

/* Messages that come twice, late, in another order and in pieces, over connections that are cut, drawn by seeds. */

const LONGEST_DELAY_MS = 20_000;
const LONGEST_TASK_MS = 30_000;

type Fault = 'duplicate' | 'delay' | 'reorder' | 'cutBefore' | 'cutAfter' | 'truncate';

interface Disorder {
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** How many of a hundred messages and answers are hit. */
  readonly percent: number;
  /** How many connections are cut: one that is cut more often than it is used carries nothing. */
  readonly cuts: number;
}

/** What is hit: faults, and the messages that were lost as nobody could read them. */
class Hits {
  readonly random: () => number;
  cuts: number;
  truncated = 0;

  constructor(private readonly disorder: Disorder) {
    this.random = seededRandom(disorder.seed);
    this.cuts = disorder.cuts;
  }

  fateOf({ kind, message }: Passage): Fate | undefined {
    const { percent, faults } = this.disorder;
    if (kind === 'announce' || this.random() * 100 >= percent) return undefined;
    const fault = faults[Math.floor(this.random() * faults.length)] ?? 'duplicate';
    switch (fault) {
      case 'delay':
        return { delayMs: this.random() ** 4 * LONGEST_DELAY_MS };
      case 'cutBefore':
      case 'cutAfter':
        return this.cuts-- > 0 ? fault : undefined;
      case 'truncate':
        // What is answered is not sent again.
        if (kind !== 'send' && kind !== 'post') return undefined;
        this.truncated += 1;
        return { instead: this.#pieceOf(message) };
      default:
        return fault;
    }
  }

  #pieceOf({ properties, body }: Message): Message {
    return { properties, body: body.slice(0, Math.floor(this.random() * body.length)) };
  }
}

/** Tasks that take no time, or longer than a lease. */
function tasksFor(clock: Clock, random: () => number) {
  const pause = () => {
    const ms = random() ** 4 * LONGEST_TASK_MS;
    return new Promise<void>((resolve) => void clock.setTimer(ms, resolve));
  };
  const double = (name: string, from: string) =>
    task({
      name,
      requires: { [from]: typed<number>() },
      provides: `${name}.out`,
      async execute(args) {
        await pause();
        return 2 * Number(Object.values(args)[0]);
      },
    });
  return {
    first: task({ name: 'first', provides: 'first.out', execute: () => 1 }),
    chain: [double('a', 'first.out'), double('b', 'a.out'), double('c', 'b.out')],
    side: [double('d', 'first.out'), double('e', 'first.out'), double('f', 'first.out')],
  };
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'first'];

/** Runs a flow on two workers, on time that goes on by itself. */
async function run(disorder: Disorder) {
  const environment = virtualEnvironment({ seed: disorder.seed, advancesByItself: true });
  const broker = new MemoryBroker({ environment });
  const place = { transport: 'memory', transportOptions: { broker }, environment } as const;
  const hits = new Hits(disorder);
  const { first, chain, side } = tasksFor(environment.clock, hits.random);
  const workers = ['w1', 'w2'].map(
    (workerId) => new Worker({ ...place, topic: 'topic', tasks: [first, ...chain, ...side], workerId }),
  );
  for (const worker of workers) void worker.run();
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  const flow = linear('f').add(first, unordered('u').add(linear('chain').addAll(chain), ...side));
  const engine = await engines.load(flow, { engine: 'workers', ...place, maxDeliveries: 100 });
  const committed = committedBy(engine);
  const calm = broker.intercept((passage) => hits.fateOf(passage));
  const end: unknown = await engine.run().catch((error: unknown) => error);
  calm();
  const last = engine.storage.getAtomState('c') === 'SUCCESS' ? engine.storage.fetch('c.out') : null;
  await engine.close();
  await Promise.all(workers.map((worker) => worker.stop({ drainMs: 100 })));
  return { end, committed, last, hits };
}

const ORDERLY: readonly Fault[] = ['duplicate', 'delay', 'reorder'];
const CUTS: readonly Fault[] = ['cutBefore', 'cutAfter'];

const disorders = (...faults: readonly Fault[]): fc.Arbitrary<Disorder> =>
  fc.record({
    seed: fc.nat(),
    faults: fc.subarray([...faults], { minLength: 1 }),
    percent: fc.integer({ min: 5, max: 90 }),
    cuts: fc.nat({ max: 20 }),
  });

/** Enough that each draws other faults, few enough that all of them take seconds. */
const CASES = { numRuns: 250 };

describe('a flow on workers whose messages come in disorder', () => {
  it('ends right, with each result committed once, when they come twice, late and in another order', async () => {
    await fc.assert(
      fc.asyncProperty(disorders(...ORDERLY), async (disorder) => {
        const { end, committed, last } = await run(disorder);
        expect([end, committed.toSorted(), last]).toEqual(['SUCCESS', NAMES, 8]);
      }),
      CASES,
    );
  });

  it('ends right, with each result committed once, when connections are cut all the while', async () => {
    await fc.assert(
      fc.asyncProperty(disorders(...ORDERLY, ...CUTS), async (disorder) => {
        const { end, committed, last } = await run(disorder);
        expect([end, committed.toSorted(), last]).toEqual(['SUCCESS', NAMES, 8]);
      }),
      CASES,
    );
  });

  it('ends right, or says in time what it waited for, when some come in pieces, which nobody can read', async () => {
    await fc.assert(
      fc.asyncProperty(disorders(...ORDERLY, ...CUTS, 'truncate'), async (disorder) => {
        const { end, committed, last, hits } = await run(disorder);
        expect(new Set(committed).size).toBe(committed.length);
        if (hits.truncated === 0 || end === 'SUCCESS')
          expect([end, committed.toSorted(), last]).toEqual(['SUCCESS', NAMES, 8]);
        else expect(failuresIn(end).every((failure) => failure === RequestTimeoutError.name)).toBe(true);
      }),
      CASES,
    );
  });
});

/** The names of what a run failed with, of one or of several failures. */
function failuresIn(end: unknown): readonly string[] {
  if (typeof end === 'object' && end !== null && 'failures' in end) {
    return (end.failures as readonly { readonly name: string }[]).map(({ name }) => name);
  }
  return [end instanceof Error ? end.name : String(end)];
}
