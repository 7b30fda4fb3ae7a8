import type { Plan } from './plan.js';
import { half, planOf } from './plan.js';
import { seededRandom } from '../src/testing/seeded-random.js';

/** When a commit of a durable workload counts as durable. */
export type Synchronous = 'FULL' | 'NORMAL';

/** Where a durable workload keeps its steps: in an SQLite file, and how durably, or on a server. */
export type Durability = Synchronous | 'postgresql';

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** The sizes it is measured at, unless others are asked for. */
  readonly sizes: readonly number[];
  /** What it is measured against. */
  readonly reference: 'ceiling' | 'one-insert' | 'reading-rows';
  /** Where every step is kept; null: nothing is. */
  readonly durable: Durability | null;
  /** Whether what is measured is not a run, but taking up one that is half done. */
  readonly resumes?: boolean;
  /** @param seed - Two plans of one size and seed are alike. */
  readonly plan: (n: number, seed: number) => Plan;
}

const IN_MEMORY = { sizes: [1_000, 10_000, 100_000], reference: 'ceiling', durable: null } as const;
const DURABLE = { sizes: [100, 1_000], reference: 'one-insert' } as const;

/** The workloads of one process. */
export const WORKLOADS: readonly Workload[] = [
  { id: 'W1', title: 'a chain of tasks handing one value along', ...IN_MEMORY, plan: (n) => planOf('chain', chain(n)) },
  {
    id: 'W2',
    title: 'independent tasks, then one that takes them all',
    ...IN_MEMORY,
    plan: (n) => planOf('fan-in', [...independent(n), range(n)]),
  },
  {
    id: 'W3',
    title: 'a random layered graph, about 3 dependencies a task',
    ...IN_MEMORY,
    plan: (n, seed) => planOf('layers', layers(n, seed)),
  },
  {
    id: 'W4',
    title: 'W1 with every step in SQLite, synchronous FULL',
    ...DURABLE,
    durable: 'FULL',
    plan: (n) => planOf('chain', chain(n)),
  },
  {
    id: 'W4-normal',
    title: 'W1 with every step in SQLite, synchronous NORMAL',
    ...DURABLE,
    durable: 'NORMAL',
    plan: (n) => planOf('chain', chain(n)),
  },
  {
    id: 'W4-wide',
    title: 'independent tasks in SQLite, synchronous FULL',
    ...DURABLE,
    sizes: [1_000],
    durable: 'FULL',
    plan: (n) => planOf('independent', independent(n)),
  },
  {
    id: 'W4-postgresql',
    title: 'W1 with every step in PostgreSQL',
    ...DURABLE,
    durable: 'postgresql',
    plan: (n) => planOf('chain', chain(n)),
  },
  {
    id: 'W5',
    title: 'W1 whose last task fails: everything is reverted',
    ...IN_MEMORY,
    plan: (n) => planOf('chain', chain(n), { lastFails: true }),
  },
  {
    id: 'W6',
    title: 'W4-normal, half done: from the store to the first task that is executed',
    sizes: [1_000, 10_000],
    reference: 'reading-rows',
    durable: 'NORMAL',
    resumes: true,
    plan: halfDone,
  },
];

/** @throws {RangeError} naming the workloads that there are. */
export function workloadNamed(id: string): Workload {
  const workload = WORKLOADS.find((known) => known.id === id);
  if (workload === undefined) throw new RangeError(`There is no workload ${id}; there are ${known()}`);
  return workload;
}

/**
 * The workloads with these names, in their own order; all without a name. `W4` means `W4-normal` and `W4-wide` too.
 *
 * @throws {RangeError} naming the workloads that there are.
 */
export function workloadsNamed(names: readonly string[]): readonly Workload[] {
  const isMeant = ({ id }: Workload, name: string) => {
    const [own, asked] = [id.toLowerCase(), name.toLowerCase()];
    return own === asked || own.startsWith(`${asked}-`);
  };
  for (const name of names) {
    if (!WORKLOADS.some((workload) => isMeant(workload, name))) {
      throw new RangeError(`There is no workload ${name}; there are ${known()}`);
    }
  }
  return names.length === 0 ? WORKLOADS : WORKLOADS.filter((workload) => names.some((name) => isMeant(workload, name)));
}

const known = () => WORKLOADS.map(({ id }) => id).join(', ');

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

const independent = (n: number): number[][] => Array.from({ length: n }, () => []);

const chain = (n: number): number[][] => range(n).map((index) => (index === 0 ? [] : [index - 1]));

/** Only the first half has results. */
function halfDone(n: number): Plan {
  const plan = planOf('chain', chain(n));
  return { ...plan, expected: plan.expected.slice(0, half(n)) };
}

const FEWEST_DEPENDENCIES = 2;
const MOST_DEPENDENCIES = 4;

/** Layers as wide as there are layers; each task takes a few results of the layer before its own. */
function layers(n: number, seed: number): number[][] {
  const random = seededRandom(seed);
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const width = Math.max(1, Math.round(Math.sqrt(n)));
  return range(n).map((index) => {
    const layer = Math.floor(index / width);
    if (layer === 0) return [];
    const chosen = new Set<number>();
    const count = Math.min(width, between(FEWEST_DEPENDENCIES, MOST_DEPENDENCIES));
    while (chosen.size < count) chosen.add(between((layer - 1) * width, layer * width - 1));
    return [...chosen];
  });
}
