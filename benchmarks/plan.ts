/** One task of a workload, as functions. Every subject runs the same ones. */
export interface PlannedTask {
  readonly name: string;
  /** The tasks whose results it takes, by number; each stands before it. */
  readonly dependencies: readonly number[];
  /** What these results are called in its arguments, in the same order. */
  readonly parameters: readonly string[];
  readonly execute: (args: Readonly<Record<string, unknown>>) => Promise<number>;
  readonly revert: ((args: Readonly<Record<string, unknown>>) => Promise<void>) | undefined;
}

/** How the tasks of a plan stand to each other: which kind of flow they are for. */
export type Arrangement = 'chain' | 'fan-in' | 'layers' | 'independent';

/** A workload of a certain size, and what has to come of it. It is run once. */
export interface Plan {
  readonly arrangement: Arrangement;
  readonly tasks: readonly PlannedTask[];
  /** The result of each task. */
  readonly expected: readonly number[];
  /** What the last task throws; null where nothing fails. */
  readonly failure: Error | null;
  /** The tasks that were reverted, in that order. */
  readonly reverted: readonly number[];
}

/** How many tasks of a run are done when it is half done. */
export const half = (tasks: number): number => Math.floor(tasks / 2);

const MODULUS = 1_000_003;

/** Does as good as nothing, but so that a wrong, missing or doubled argument changes the answer. */
async function countOn(args: Readonly<Record<string, unknown>>): Promise<number> {
  let sum = 1;
  for (const name in args) sum += Number(args[name]);
  return sum % MODULUS;
}

/**
 * Makes a plan from what each task depends on.
 *
 * All take their arguments under the same few names, as instances of one task do: an object with another name for
 * every task would measure how fast a JavaScript engine makes new shapes of objects, in all subjects alike.
 *
 * @param options.lastFails - The last task throws, and every task can be reverted.
 */
export function planOf(
  arrangement: Arrangement,
  dependencies: readonly (readonly number[])[],
  { lastFails = false }: { readonly lastFails?: boolean } = {},
): Plan {
  const failure = lastFails ? new Error('the last task fails') : null;
  const reverted: number[] = [];
  const parameters = new Map<number, readonly string[]>();
  const parametersFor = (count: number) => {
    const known = parameters.get(count) ?? Array.from({ length: count }, (_, at) => `a${at}`);
    parameters.set(count, known);
    return known;
  };
  const fail = async (): Promise<number> => {
    throw failure;
  };
  const tasks = dependencies.map((before, index) => ({
    name: `t${index}`,
    dependencies: before,
    parameters: parametersFor(before.length),
    execute: lastFails && index === dependencies.length - 1 ? fail : countOn,
    revert: lastFails
      ? async () => {
          reverted.push(index);
        }
      : undefined,
  }));
  return { arrangement, tasks, expected: expectedOf(dependencies), failure, reverted };
}

function expectedOf(dependencies: readonly (readonly number[])[]): number[] {
  const results: number[] = [];
  for (const before of dependencies) {
    results.push(before.reduce((sum, index) => sum + (results[index] ?? Number.NaN), 1) % MODULUS);
  }
  return results;
}

/** What a task is called with, by name. */
export function argumentsOf(
  { dependencies, parameters }: PlannedTask,
  results: readonly unknown[],
): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (let at = 0; at < dependencies.length; at++) args[parameters[at] ?? ''] = results[dependencies[at] ?? -1];
  return args;
}
