import { describe, expect, it } from 'vitest';
import { forEach, times } from '../../src/atoms/retries.js';
import { load } from '../../src/engines/load.js';
import { UnstorableValueError, ValueTooLargeError } from '../../src/errors.js';
import { Failure } from '../../src/failure.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import type { Flow } from '../../src/flows/flow.js';
import type { Codec, PersistenceBackend } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { sqliteBackend } from '../../src/persistence/backends/sql/sqlite.js';
import type { RetryDetail } from '../../src/persistence/details.js';
import { encodeAttempts } from '../../src/persistence/failure-text.js';
import type { AttemptRecord } from '../../src/persistence/failure-text.js';
import { richCodec } from '../../src/persistence/codecs/rich.js';
import { valueFormat } from '../../src/persistence/value-format.js';
import { snapshotOf } from '../../src/testing/interrupting-backend.js';
import { statesOf } from './announcements.js';
import { rejection, step, stepsInto, throwing } from './steps.js';

const LIMIT = 1000;

/** The same store, seen with other limits: what a process does that was started anew with another configuration. */
function storeWith(codecOf: (maxValueBytes: number | undefined) => Codec): {
  backend: PersistenceBackend;
  limitTo: (maxValueBytes: number | undefined) => void;
} {
  let codec = codecOf(LIMIT);
  const varying: Codec = { encode: (value) => codec.encode(value), decode: (text) => codec.decode(text) };
  return {
    backend: memoryBackend({ codec: varying }),
    limitTo: (maxValueBytes) => {
      codec = codecOf(maxValueBytes);
    },
  };
}

const limited = () => storeWith((maxValueBytes) => valueFormat({ maxValueBytes }));

async function storedFlow(backend: PersistenceBackend, uuid: string) {
  return (await backend.getConnection()).getFlowDetail(uuid);
}

async function storedRetry(backend: PersistenceBackend, uuid: string): Promise<RetryDetail> {
  const { atoms } = await storedFlow(backend, uuid);
  const retry = atoms.find((atom) => atom.kind === 'retry');
  if (retry === undefined) throw new Error('there is no retry');
  return retry;
}

describe('the plan of a large flow', () => {
  it('is kept whatever the limit of values is', async () => {
    const backend = memoryBackend({ maxValueBytes: LIMIT });
    const steps = Array.from({ length: 200 }, (_, index) => step(`step-${index}`));
    const engine = await load(linear('f').addAll(steps), { backend });
    expect(await engine.run()).toBe('SUCCESS');
    const again = await load(linear('f').addAll(steps.slice(1)), {
      backend,
      flowDetail: await storedFlow(backend, engine.storage.flowUuid),
    });
    expect(again.planDifference()?.removed.map(({ name }) => name)).toEqual(['step-0']);
  });
});

describe('a result that is too large', () => {
  it.each([
    ['memory', () => memoryBackend({ maxValueBytes: LIMIT })],
    ['sqlite', () => sqliteBackend({ path: ':memory:', maxValueBytes: LIMIT })],
  ])('is a failure of its atom, which is named with the size, and is reverted (%s)', async (_name, open) => {
    const log: string[] = [];
    const step = stepsInto(log);
    const backend = open();
    const flow = linear('f').add(step('a'), step('b', { execute: () => 'x'.repeat(5000) }), step('c'));
    const engine = await load(flow, { backend });
    const error = await rejection(engine.run());
    expect(error).toBeInstanceOf(ValueTooLargeError);
    expect(error).toMatchObject({
      size: 5002,
      limit: LIMIT,
      message: `The value at $ cannot be stored: it takes 5002 bytes, more than the ${LIMIT} of maxValueBytes, in the result of b`,
    });
    expect(log).toEqual(['execute a', 'execute b', 'revert b', 'revert a']);
    const detail = await storedFlow(backend, engine.storage.flowUuid);
    expect(detail.state).toBe('REVERTED');
    await engine.close();
    await backend.close();
  });

  it('is kept once the limit is raised: the run is resumable', async () => {
    const { backend, limitTo } = limited();
    const log: string[] = [];
    const step = stepsInto(log);
    const flow = () => linear('f').add(step('a'), step('b', { execute: () => 'x'.repeat(5000), provides: 'big' }));
    const first = await load(flow(), { backend, neverResolve: true });
    await expect(first.run()).rejects.toThrow(/5002 bytes/);
    expect(statesOf(first)).toEqual({ a: 'SUCCESS', b: 'FAILURE' });
    await first.close();

    limitTo(10_000);
    const flowDetail = await storedFlow(backend, first.storage.flowUuid);
    expect(flowDetail.atoms.find(({ name }) => name === 'b')?.failure?.typeNames).toContain('ValueTooLargeError');
    const second = await load(flow(), { backend, flowDetail });
    await second.run().catch(() => undefined);
    expect(statesOf(second)).toEqual({ a: 'REVERTED', b: 'REVERTED' });
    expect(await second.run()).toBe('SUCCESS');
    expect(second.storage.fetch('big')).toHaveLength(5000);
  });

  it('can be tried again by a retry', async () => {
    const backend = memoryBackend({ maxValueBytes: LIMIT });
    let size = 4000;
    const shrinking = step('b', { execute: () => 'x'.repeat((size /= 2)), provides: 'it' });
    const engine = await load(linear('f', { retry: times({ attempts: 5 }) }).add(shrinking), { backend });
    expect(await engine.run()).toBe('SUCCESS');
    expect(engine.storage.fetch('it')).toHaveLength(500);
  });

  it('of a revert is a failure of the revert', async () => {
    const backend = memoryBackend({ maxValueBytes: LIMIT });
    const big = step('a', { execute: throwing(new Error('no')), revert: () => 'x'.repeat(5000) });
    const engine = await load(linear('f').add(big), { backend });
    await expect(engine.run()).rejects.toThrow(/5002 bytes.*in the result of a/);
    expect(statesOf(engine)).toEqual({ a: 'REVERT_FAILURE' });
  });
});

describe('the attempts of a retry that grow too large', () => {
  it('are a failure of the retry, which is named; what ran is reverted', async () => {
    const backend = memoryBackend({ maxValueBytes: LIMIT });
    const log: string[] = [];
    const step = stepsInto(log);
    const values = Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(200, '.'));
    const retry = forEach({ name: 'r', values });
    const flow = linear('f').add(
      step('before'),
      linear('g', { retry }).add(step('a', { execute: throwing(new Error('no')) })),
    );
    const engine = await load(flow, { backend });
    const error = await rejection(engine.run());
    expect(error).toBeInstanceOf(ValueTooLargeError);
    expect(String(error)).toMatch(/more than the 1000 of maxValueBytes, in the attempts of r$/);
    expect(log.at(-1)).toBe('revert before');
    expect((await storedFlow(backend, engine.storage.flowUuid)).state).toBe('REVERTED');
  });
});

describe('what is too large otherwise', () => {
  it('is refused where it is injected, and nothing is changed', async () => {
    const backend = memoryBackend({ maxValueBytes: LIMIT });
    const engine = await load(linear('f').add(step('a')), { backend, store: { x: 'x'.repeat(600) } });
    const before = await snapshotOf(backend);
    const { storage } = engine;
    // Each would fit alone.
    await expect(storage.inject({ y: 'y'.repeat(600) })).rejects.toThrow(/1215 bytes.*in the injected values$/);
    expect(() => storage.updateFlowMetadata({ y: 'y'.repeat(2000) })).toThrow(/in the meta of flow 'f'$/);
    expect(Object.keys(storage.fetchAll())).toEqual(['x']);
    expect(await snapshotOf(backend)).toEqual(before);
    await storage.inject({ y: 'y'.repeat(600) }, { transient: true });
    expect(storage.fetch('y')).toHaveLength(600);
  });

  it('is refused where it is given to one atom, also together with what it has', async () => {
    const backend = memoryBackend({ maxValueBytes: LIMIT });
    const engine = await load(linear('f').add(step('a')), { backend });
    engine.compile();
    await engine.prepare();
    const { storage } = engine;
    storage.updateAtomMetadata('a', { note: 'n'.repeat(600) });
    expect(() => storage.updateAtomMetadata('a', { other: 'o'.repeat(600) })).toThrow(/in the meta of a$/);
    const given = storage.injectAtomArgs('a', { y: 'y'.repeat(600) }, { transient: false });
    await expect(given).rejects.toThrow(/in the meta of a$/);
    // What comes with each state has room.
    expect(await engine.run()).toBe('SUCCESS');
  });

  it('keeps progress within the room that is left for it', async () => {
    const backend = memoryBackend({ maxValueBytes: 512 });
    const flow = linear('f').add(
      step('a', {
        execute: (_, context) => {
          context.progress(0.3, { tail: 't'.repeat(5000) });
          context.progress(1 / 3);
        },
      }),
    );
    const engine = await load(flow, { backend });
    engine.compile();
    await engine.prepare();
    for (let length = 512; length > 0; length -= 1) {
      try {
        engine.storage.updateAtomMetadata('a', { note: 'n'.repeat(length) });
        break;
      } catch (error) {
        if (!(error instanceof ValueTooLargeError)) throw error;
      }
    }
    expect(engine.storage.detail('a').meta['note']).toBeDefined();
    expect(await engine.run()).toBe('SUCCESS');
  });
});

describe('a failure that is too large', () => {
  it('is shortened in the store, and stops nothing', async () => {
    const backend = memoryBackend({ maxValueBytes: LIMIT });
    const error = Object.assign(new RangeError('no space'), { code: 'ENOSPC', dump: 'd'.repeat(50_000) });
    const fails = () => linear('f').add(step('a'), step('b', { execute: throwing(error) }));
    const engine = await load(fails(), { backend, neverResolve: true });
    await expect(engine.run()).rejects.toBe(error);
    const { atoms } = await storedFlow(backend, engine.storage.flowUuid);
    expect(atoms.find(({ name }) => name === 'b')?.failure).toMatchObject({
      typeNames: ['RangeError', 'Error'],
      message: 'no space',
      code: 'ENOSPC',
      properties: {},
    });
  });

  it.each([512, 700, 1300])('stops no retry either, however often and wherever it happens (%s)', async (limit) => {
    const backend = memoryBackend({ maxValueBytes: limit });
    const error = Object.assign(new Error('it does not work '.repeat(20)), { dump: 'd'.repeat(5000) });
    const fails = (name: string) => step(name, { execute: throwing(error) });
    const flow: Flow = linear('f', { retry: times({ attempts: 12, name: 'r' }) }).add(
      unordered('u').add(fails('a'), fails('b'), fails('c')),
    );
    const engine = await load(flow, { backend, engine: 'parallel' });
    const attempts: number[] = [];
    engine.atomNotifier.register('SUCCESS', async () => {
      const retry = await storedRetry(backend, engine.storage.flowUuid);
      attempts.push(retry.results.length);
    });
    await expect(engine.run()).rejects.toThrow('it does not work');
    expect((await storedFlow(backend, engine.storage.flowUuid)).state).toBe('REVERTED');
    expect(attempts).toHaveLength(12);
  });

  it('is left out of the oldest attempts of a retry first, and what was provided is all there', () => {
    const codec = valueFormat({ maxValueBytes: 512 });
    const failure = Failure.from(Object.assign(new Error('no'), { dump: 'd'.repeat(5000) })).toRecord();
    const attempts = Array.from({ length: 8 }, (_, index): AttemptRecord => [index, [['a', failure]]]);
    const kept = codec.decode(encodeAttempts(codec, attempts)) as AttemptRecord[];
    expect(kept.map(([provided]) => provided)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(kept.map(([, failures]) => failures.length)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    expect(kept.at(-1)?.[1]).toMatchObject([['a', { message: 'no', stack: null }]]);
  });
});

describe('values that JSON does not have', () => {
  const value = () =>
    new Map<unknown, unknown>([
      [1n, new Date(5)],
      ['bytes', Buffer.from('b')],
    ]);
  const flow = () =>
    linear('f').add(
      step('a', { provides: 'it', execute: value }),
      step('b', { requires: ['it', 'when'], execute: ({ it, when }) => [it, when] }),
    );

  it('go through a run and come back with a codec that has them', async () => {
    const backend = memoryBackend({ codec: richCodec });
    const first = await load(flow(), { backend, store: { when: new Date(7) } });
    first.atomNotifier.register('SUCCESS', () => first.suspend());
    expect(await first.run()).toBe('SUSPENDED');
    const flowDetail = await storedFlow(backend, first.storage.flowUuid);
    const second = await load(flow(), { backend, flowDetail });
    expect(await second.run()).toBe('SUCCESS');
    expect(second.storage.get('b')).toEqual([value(), new Date(7)]);
  });

  it('are a failure that names atom and place without', async () => {
    const engine = await load(linear('f').add(step('a', { execute: () => ({ rows: [value()] }) })), {
      backend: memoryBackend(),
    });
    const error = await rejection(engine.run());
    expect(error).toBeInstanceOf(UnstorableValueError);
    expect(String(error)).toBe(
      'UnstorableValueError: The value at $.rows[0] cannot be stored: an object of the class Map, in the result of a',
    );
  });

  it('are that also where a codec throws whatever it likes', async () => {
    const codec: Codec = {
      encode: (given) => {
        if (given === 'a') throw new Error('not today');
        return JSON.stringify(given);
      },
      decode: (text): unknown => JSON.parse(text),
    };
    const engine = await load(linear('f').add(step('a')), { backend: memoryBackend({ codec }) });
    const error = await rejection(engine.run());
    expect(error).toMatchObject({
      message: expect.stringContaining('result of a') as string,
      cause: { message: 'not today' },
    });
    expect(statesOf(engine)).toEqual({ a: 'REVERTED' });
  });
});
