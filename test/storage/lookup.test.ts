import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { times } from '../../src/atoms/retries.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { load } from '../../src/engines/load.js';
import { NotFoundError } from '../../src/errors.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import type { Task } from '../../src/atoms/task.js';
import { rejection } from '../engines/steps.js';

interface Asking {
  readonly required?: readonly string[];
  readonly optional?: readonly string[];
  readonly inject?: Readonly<Record<string, unknown>>;
  readonly rebind?: Readonly<Record<string, string>>;
}

function gives(name: string, symbol: string, value: unknown = name): Task {
  return task({ name, provides: symbol, execute: () => value as never });
}

function asks(name: string, { required = [], optional = [], ...options }: Asking): Task {
  return task({ ...options, name, signature: { execute: { required, optional } }, execute: (args) => ({ ...args }) });
}

/** What the task `asks` was given. */
async function given(flow: Flow, options: LoadOptions & { store?: Record<string, unknown> } = {}): Promise<unknown> {
  const engine = await load(flow, options);
  await engine.run();
  return engine.storage.get('asks');
}

describe('what an argument is', () => {
  it('injected for the atom, before injected for the flow, before what any atom provides', async () => {
    const flow = (inject?: Record<string, unknown>) =>
      linear('f').add(gives('a', 'x'), asks('asks', { required: ['x'], ...(inject === undefined ? {} : { inject }) }));
    expect(await given(flow({ x: 'own' }), { store: { x: 'store' } })).toEqual({ x: 'own' });
    expect(await given(flow(), { store: { x: 'store' } })).toEqual({ x: 'store' });
    expect(await given(flow())).toEqual({ x: 'a' });
  });

  it('injected for the atom only as long as the engine lives, before what was kept for it', async () => {
    const engine = await load(linear('f').add(asks('asks', { required: ['x'] })), { store: { x: 0 } });
    engine.compile();
    await engine.prepare();
    await engine.storage.injectAtomArgs('asks', { x: 'kept' }, { transient: false });
    await engine.storage.injectAtomArgs('asks', { x: 'passing' });
    await engine.run();
    expect(engine.storage.get('asks')).toEqual({ x: 'passing' });
  });

  it('from the nearest flow, the latest there', async () => {
    const flow = linear('f').add(
      gives('far', 'x'),
      linear('g').add(
        gives('first', 'x'),
        gives('second', 'x'),
        linear('h').add(asks('asks', { required: ['x'] })),
        gives('later', 'x'),
      ),
    );
    expect(await given(flow)).toEqual({ x: 'second' });
  });

  it('from inside a flow that comes before', async () => {
    const flow = linear('f').add(
      gives('a', 'x'),
      unordered('u').add(linear('l').add(gives('inside', 'x'))),
      asks('asks', { required: ['x'] }),
    );
    expect(await given(flow)).toEqual({ x: 'inside' });
  });

  it("what the flow's retry provided last", async () => {
    let calls = 0;
    const fails = task({
      name: 'fails',
      execute: () => {
        calls += 1;
        if (calls === 1) throw new Error('Woot!');
      },
    });
    const flow = linear('f', { retry: times({ name: 'r', attempts: 2, provides: 'x' }) }).add(
      asks('asks', { required: ['x'] }),
      fails,
    );
    expect(await given(flow)).toEqual({ x: 2 });
  });

  it('null and undefined: a value, and null', async () => {
    const nothing = task({ name: 'u', provides: 'y', execute: () => undefined });
    const flow = linear('f').add(gives('n', 'x', null), nothing, asks('asks', { required: ['x', 'y'] }));
    expect(await given(flow)).toEqual({ x: null, y: null });
  });

  it('by another name, when it is rebound', async () => {
    const flow = linear('f').add(gives('a', 'there'), asks('asks', { required: ['here'], rebind: { here: 'there' } }));
    expect(await given(flow)).toEqual({ here: 'a' });
  });

  it('from a flow farther out, when all nearer providers were ignored', async () => {
    const [first, ignored, asking] = [
      task({ name: 'first', execute: () => null }),
      gives('near', 'x'),
      asks('asks', { required: ['x'] }),
    ];
    const inner = graph('g').addAll([first, ignored, asking], { resolveRequires: false, resolveExisting: false });
    inner.link(first, ignored, { decider: () => false, depth: 'ATOM' }).link(ignored, asking);
    expect(await given(linear('f').add(gives('far', 'x'), inner))).toEqual({ x: 'far' });
  });

  it('left out when it is optional and there is none; a default of the function takes its place', async () => {
    const flow = linear('f').add(task({ name: 'asks', optional: ['x'], execute: ({ x = 5 }: { x?: unknown }) => [x] }));
    expect(await given(flow)).toEqual([5]);
    expect(await given(linear('f').add(asks('asks', { optional: ['x'] })), { store: { x: 1 } })).toEqual({ x: 1 });
  });

  it('not a value of a sibling that is not before it', async () => {
    const engine = await load(unordered('f').add(gives('a', 'x'), asks('asks', { required: ['x'] })));
    await expect(engine.run()).rejects.toThrow(/requires \[x\]/);
  });
});

describe('a result with several symbols', () => {
  const pair = (result: unknown) =>
    linear('f').add(
      task({ name: 'a', provides: ['x', 'y'], execute: () => result as never }),
      asks('asks', { optional: ['x', 'y'] }),
    );
  const keyed = (result: unknown) =>
    linear('f').add(
      task({ name: 'a', provides: new Set(['x', 'y']), execute: () => result as never }),
      asks('asks', { optional: ['x', 'y'] }),
    );

  it.each([
    [['1', '2'], { x: '1', y: '2' }],
    ['ab', { x: 'a', y: 'b' }],
    [['1'], { x: '1' }],
    [[], {}],
    [null, {}],
    [7, {}],
    [{ 0: 'no' }, {}],
    [new Uint8Array([3, 4]), { x: 3, y: 4 }],
  ])('by position: %j gives %j', async (result, expected) => {
    expect(await given(pair(result))).toEqual(expected);
  });

  it.each([
    [
      { x: 1, y: 2, z: 3 },
      { x: 1, y: 2 },
    ],
    [{ x: 1 }, { x: 1 }],
    [new Map([['x', 1]]), { x: 1 }],
    [Object.create({ x: 'inherited' }) as object, {}],
    [null, {}],
    ['xy', {}],
  ])('by key: %j gives %j', async (result, expected) => {
    expect(await given(keyed(result))).toEqual(expected);
  });

  it.each([[['a', 'b']], [new Uint8Array([3, 4])]])(
    'by key: a list has none, whatever it has of its own: %j',
    async (list) => {
      const flow = linear('f').add(
        task({ name: 'a', provides: { keys: ['0', 'length'] }, execute: () => list as never }),
        asks('asks', { optional: ['0', 'length'] }),
      );
      expect(await given(flow)).toEqual({});
    },
  );

  it('a required one that is not there is a failure that names it', async () => {
    const flow = linear('f').add(
      task({ name: 'a', provides: ['x', 'y'], execute: () => ['only x'] as never }),
      asks('asks', { required: ['y'] }),
    );
    const error = await rejection((await load(flow)).run());
    expect(error).toBeInstanceOf(NotFoundError);
    expect((error as Error).message).toMatch(/argument y of asks/);
  });
});

describe('fetching', () => {
  it('gives the first of several values, and all of them together', async () => {
    const engine = await load(linear('f').add(gives('a', 'x'), gives('b', 'x')), { store: { x: 'store', y: 1 } });
    await engine.run();
    expect(engine.storage.fetch('x')).toBe('store');
    expect(engine.storage.fetchAll()).toEqual({ x: ['store', 'a', 'b'], y: 1 });
  });

  it('says what nothing provides', async () => {
    const engine = await load(linear('f').add(gives('a', 'x')));
    await engine.run();
    expect(() => engine.storage.fetch('y')).toThrow(NotFoundError);
    expect(() => engine.storage.fetch('y')).toThrow(/"y"/);
    expect(() => engine.storage.fetch('toString')).toThrow(NotFoundError);
  });

  it('leaves out a symbol for which a provider has no value yet, or any more', async () => {
    const flow = linear('f').add(
      gives('a', 'x'),
      task({ name: 'b', execute: () => Promise.reject(new Error('Woot!')) }),
      gives('c', 'y'),
    );
    const engine = await load(flow, { store: { z: 1 } });
    expect(engine.storage.fetchAll()).toEqual({ z: 1 });
    engine.atomNotifier.register('FAILURE', () => {
      expect(engine.storage.fetchAll()).toEqual({ x: 'a', z: 1 });
    });
    await rejection(engine.run());
    expect(engine.statistics.listenerErrors).toBe(0);
    expect(engine.storage.fetchAll()).toEqual({ z: 1 });
    expect(() => engine.storage.fetch('y')).toThrow(/c provides "y", and has no value for it/);
  });

  it('passes over those who were ignored', async () => {
    const [a, b] = [task({ name: 'a', execute: () => null }), gives('b', 'x')];
    const other = gives('other', 'x');
    const flow = graph('f').addAll([a, b, other], { resolveExisting: false, resolveRequires: false });
    flow.link(a, b, { decider: () => false });
    const engine = await load(flow);
    await engine.run();
    expect(engine.storage.fetchAll()).toEqual({ x: 'other' });
  });
});
