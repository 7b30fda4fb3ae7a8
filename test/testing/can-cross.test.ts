import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as canCross from '../../src/testing/can-cross.js';
import type { Pools } from '../executors/pools.js';
import { compilePools } from '../executors/pools.js';

let pools: Pools;
let assertTaskCanCross: typeof canCross.assertTaskCanCross;
beforeAll(async () => {
  pools = await compilePools();
  const compiled = (await import(/* @vite-ignore */ pools.urlOf('src/testing/can-cross.ts').href)) as typeof canCross;
  assertTaskCanCross = compiled.assertTaskCanCross;
}, 60_000);
afterAll(() => pools[Symbol.dispose]());

describe('a task can cross', () => {
  it('when its module registers it, and its arguments and results can be copied', async () => {
    const taskModules = [pools.taskModule];
    await assertTaskCanCross(pools.tasks.add, { taskModules, args: { a: 1, b: 2n }, result: new Map() });
    await assertTaskCanCross(pools.tasks.whereAmI('here'), { taskModules });
  });

  it('and it is said why, when it cannot', async () => {
    const taskModules = [pools.taskModule];
    const { add, gives } = pools.tasks;
    const other = pools.flowstate.task({ name: 'other', execute: () => 1 });
    await expect(assertTaskCanCross(other, { taskModules })).rejects.toThrow(/'other' version 1.0 is not registered/);
    await expect(assertTaskCanCross(add, { taskModules: [pools.urlOf('none.ts')] })).rejects.toThrow(
      /cannot be loaded/,
    );
    await expect(assertTaskCanCross(add, { taskModules, args: { a: () => 1 } })).rejects.toThrow(/argument 'a' of add/);
    await expect(assertTaskCanCross(add, { taskModules, result: Symbol('s') })).rejects.toThrow(/result of add/);
    const made = gives((() => 'bytes') as never);
    await expect(assertTaskCanCross(made, { taskModules })).rejects.toThrow(/construction parameters of gives/);
  });
});
