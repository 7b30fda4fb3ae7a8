import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Executor, Failure, LoadOptions } from '../../src/index.js';
import type * as fixtures from './fixtures/errors.js';
import type { ErrorKind, More, Thrown } from './fixtures/errors.js';
import type { Pools } from './pools.js';
import { compilePools } from './pools.js';

let pools: Pools;
let errors: typeof fixtures;
let folder: string;
const executors = new Map<string, Executor>();
beforeAll(async () => {
  pools = await compilePools();
  const module = pools.urlOf('test/executors/fixtures/errors.ts');
  errors = (await import(/* @vite-ignore */ module.href)) as typeof fixtures;
  const { workerThreadExecutor, childProcessExecutor } = pools.flowstate;
  const options = { taskModules: [module], maxWorkers: 1 };
  executors.set('a thread', workerThreadExecutor(options)).set('a process', childProcessExecutor(options));
  folder = mkdtempSync(join(tmpdir(), 'flowstate-failures-'));
}, 60_000);
afterAll(async () => {
  for (const executor of executors.values()) await executor.close();
  pools[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const names = fc.constantFrom('limit', 'path', 'constructor', '__proto__', 'errors', 'deep', 'é');
const plain = fc.jsonValue({ maxDepth: 2 });
const kinds = fc.constantFrom<ErrorKind>(
  'Error',
  'RangeError',
  'QuotaError',
  'PrivateError',
  'DOMException',
  'AggregateError',
);

const { tree } = fc.letrec<{ tree: Thrown; leaf: Thrown; error: Thrown }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('error')),
  leaf: fc.oneof(
    fc.record({ kind: fc.constant('value'), value: plain }),
    fc.record({ kind: fc.constantFrom('undefined', 'symbol', 'function', 'big integer', 'cycle', 'traps') }),
  ) as fc.Arbitrary<Thrown>,
  error: fc.record({
    kind: fc.constant('error'),
    class: kinds,
    message: fc.string(),
    more: fc.record(
      {
        name: fc.constantFrom('AbortError', 'TypeError', '', 'Named'),
        code: fc.oneof(fc.constantFrom('ENOENT', ''), fc.integer()),
        cause: tie('tree'),
        members: fc.array(tie('tree'), { maxLength: 3 }),
        properties: fc.dictionary(names, plain, { maxKeys: 3 }),
        isHostile: fc.boolean(),
        isFrozen: fc.boolean(),
      },
      { requiredKeys: ['properties', 'isHostile', 'isFrozen'] },
    ) as fc.Arbitrary<More>,
  }),
}));

/** The failure of an atom that throws it, as the engine has it. */
async function failureOf(thrown: Thrown, options: LoadOptions): Promise<{ failure: Failure; uuid: string }> {
  const { engines, linear } = pools.flowstate;
  const engine = await engines.load(linear('f').add(errors.throwing(thrown)), { ...options, neverResolve: true });
  try {
    await engine.run().catch(() => undefined);
    const failure = engine.storage.getExecuteFailures().get('throwing');
    if (failure === undefined) throw new Error('nothing failed');
    return { failure, uuid: engine.storage.flowUuid };
  } finally {
    await engine.close();
  }
}

describe('B6: a failure', () => {
  it('has the same record in the process of the engine, from a thread, from a process, and from a file', async () => {
    const { Failure, persistence } = pools.flowstate;
    const backend = await persistence.fetch(`sqlite:${join(folder, 'runs.db')}`);
    const connection = await backend.getConnection();
    await connection.upgrade();
    await fc.assert(
      fc.asyncProperty(tree, async (thrown) => {
        const record = Failure.from(errors.madeFrom(thrown)).toRecord();
        const here = await failureOf(thrown, { backend });
        expect(here.failure.toRecord()).toEqual(record);
        const stored = await connection.getFlowDetail(here.uuid);
        expect(stored.atoms.find(({ name }) => name === 'throwing')?.failure?.toRecord()).toEqual(record);
        for (const [place, executor] of executors) {
          const there = await failureOf(thrown, { engine: 'parallel', executor });
          expect(there.failure.toRecord(), place).toEqual(record);
        }
      }),
      { numRuns: 100 },
    );
    await connection.close();
    await backend.close();
  }, 120_000);

  it('of a class that is registered comes back as an error of it, with its cause', async () => {
    const thrown: Thrown = {
      kind: 'error',
      class: 'QuotaError',
      message: 'too much',
      more: {
        code: 'EQUOTA',
        cause: {
          kind: 'error',
          class: 'QuotaError',
          message: 'of all',
          more: { properties: {}, isHostile: false, isFrozen: false },
        },
        properties: { user: 'me' },
        isHostile: false,
        isFrozen: false,
      },
    };
    for (const [place, executor] of executors) {
      const { engines, linear } = pools.flowstate;
      const running = engines.run(linear('f').add(errors.throwing(thrown)), { engine: 'parallel', executor });
      const error: unknown = await running.catch((caught: unknown) => caught);
      expect(error, place).toBeInstanceOf(errors.QuotaError);
      expect(error).toMatchObject({ message: 'too much', limit: 7, code: 'EQUOTA', user: 'me' });
      expect((error as Error).cause).toBeInstanceOf(errors.QuotaError);
    }
  });
});
