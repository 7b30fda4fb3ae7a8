import { describe, expect, it } from 'vitest';
import { engines, linear, MissingDependenciesError, task, typed, unordered } from '../../src/index.js';

/*
 * What a flow still requires has to be in `store`: a compile error where the flow's type is known, and an error before
 * anything runs in any case. `npm run check` compiles these lines; each `@ts-expect-error` has to be one.
 */

const board = task({
  name: 'board',
  requires: { flight: typed<string>() },
  provides: 'seat',
  execute: ({ flight }) => flight.length,
});
const trip = linear('trip').add(board);
const nothingNeeded = linear('idle').add(task({ name: 'rest', execute: () => 1 }));

describe('engines.load', () => {
  it('takes a store with everything that the flow requires', async () => {
    const engine = await engines.load(trip, { store: { flight: 'LH 400' } });
    expect(await engine.run()).toBe('SUCCESS');
  });

  it('does not compile without a value that the flow requires', async () => {
    // @ts-expect-error -- the store lacks flight
    const lacking = engines.load(trip, { store: {} });
    await expect((await lacking).run()).rejects.toThrow(MissingDependenciesError);
  });

  it('does not compile without a store where one is required', async () => {
    // @ts-expect-error -- there is no store
    const none = engines.load(trip, {});
    await expect((await none).run()).rejects.toThrow(MissingDependenciesError);
    // @ts-expect-error -- there are no options
    const bare = engines.load(trip);
    await expect((await bare).run()).rejects.toThrow(MissingDependenciesError);
  });

  it('does not compile with a value of another type', async () => {
    // @ts-expect-error -- a flight is a string
    const mistyped = await engines.load(trip, { store: { flight: 400 } });
    expect(await mistyped.run()).toBe('SUCCESS');
  });

  it('needs no store where nothing is required', async () => {
    expect(await (await engines.load(nothingNeeded)).run()).toBe('SUCCESS');
    expect(await (await engines.load(nothingNeeded, { engine: 'parallel' })).run()).toBe('SUCCESS');
  });

  it('takes more than the flow requires', async () => {
    const engine = await engines.load(trip, { store: { flight: 'LH 400', gate: 7 } });
    expect(engine.storage.fetch('gate')).toBe(7);
  });

  it('does not compile with an engine that there is not', async () => {
    // @ts-expect-error -- there is no such engine
    await expect(engines.load(nothingNeeded, { engine: 'paralel' })).rejects.toThrow(/did you mean parallel/);
  });

  it('does not compile with an option that there is not', async () => {
    // @ts-expect-error -- there is no such option
    await expect(engines.load(nothingNeeded, { deferRevert: true })).rejects.toThrow(/did you mean deferReverts/);
  });

  it('takes any store, or none, for a flow that was built in a loop', async () => {
    const looped = unordered('looped');
    for (const name of ['a', 'b']) looped.add(task({ name, requires: [`for ${name}`], execute: () => name }));
    const many = linear('many').add(...['c', 'd'].map((name) => task({ name, execute: () => name })));
    expect(await (await engines.load(many)).run()).toBe('SUCCESS');
    const engine = await engines.load(looped, { store: { 'for a': 1, 'for b': 2 } });
    expect(await engine.run()).toBe('SUCCESS');
  });
});

describe('engines.run', () => {
  it('asks for the same store', async () => {
    expect(await engines.run(trip, { store: { flight: 'LH 400' } })).toEqual({ flight: 'LH 400', seat: 6 });
    // @ts-expect-error -- the store lacks flight
    await expect(engines.run(trip, { store: {} })).rejects.toThrow(MissingDependenciesError);
  });
});
