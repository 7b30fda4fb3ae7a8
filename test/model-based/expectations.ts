import { expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import type { Coverage } from './coverage.js';
import { nameOf, transitionsOf } from './coverage.js';
import type { Path, Step, Walker } from './paths.js';

/** How the real engine is brought to make a transition. It is not awaited that it has made it. */
export type Cause<World> = (world: World, following: readonly Step[]) => void | Promise<void>;

/** A cause for each transition of a chart, by name. */
export type Causes<World> = Readonly<Record<string, Cause<World>>>;

/** Every transition of the chart has a cause, and there are no others. */
export function expectCauseForEach(machine: AnyStateMachine, causes: object): void {
  const names = transitionsOf(machine).map(nameOf);
  expect(Object.keys(causes).sort()).toEqual(names.sort());
}

/** Brings a world to make a transition. @throws {RangeError} when nobody knows how. */
export async function cause<World>(causes: Causes<World>, name: string, world: World, following: readonly Step[]) {
  const known = causes[name];
  if (known === undefined) throw new RangeError(`Nothing is known to cause ${name}`);
  await known(world, following);
}

/** One test for each path. */
export function walkEach(paths: readonly Path[], walkerFor: (path: Path) => Walker): void {
  for (const path of paths) it(path.title, () => path.walk(walkerFor(path)));
}

export function expectComplete(coverage: Coverage): void {
  expect(coverage.missing, String(coverage)).toEqual([]);
  expect(coverage.percent).toBe(100);
}
