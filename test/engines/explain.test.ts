import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { load } from '../../src/engines/load.js';
import { InvalidStateError, NotFoundError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { encryptingCodec } from '../../src/persistence/codecs/encrypting.js';
import { task } from '../../src/atoms/function-task.js';
import type { Flow } from '../../src/flows/flow.js';
import { rejection, step } from './steps.js';

async function prepared(flow: Flow, store: Record<string, unknown> = {}) {
  const engine = await load(flow, { store });
  engine.compile();
  await engine.prepare();
  return engine;
}

describe('engine.explain', () => {
  const trip = () =>
    linear('trip').add(
      step('reserve', { provides: 'seat' }),
      linear('payment').add(
        step('quote', { provides: ['price'], execute: () => [99] }),
        step('pay', { requires: ['seat', 'price', 'card'], optional: ['voucher'] }),
      ),
      step('again', { provides: 'seat' }),
    );

  it('says where each value comes from, nearest flow first', async () => {
    const engine = await prepared(trip(), { card: 'visa' });
    await engine.run();
    const seat = engine.explain('pay', 'seat');
    expect(seat.value).toBe('reserve');
    expect(seat.chosen).toMatchObject({ place: 'flow', name: 'trip', provider: 'reserve' });
    expect(String(seat).split('\n')).toEqual([
      'seat of pay comes from reserve',
      '  the values injected for pay: none is called seat',
      '  the values injected for the run: none is called seat',
      '  the flow payment: nothing in it that comes before pay provides seat',
      '  the flow trip: reserve chosen, the nearest with a result, in the state SUCCESS',
      '  elsewhere: again skipped, it does not come before pay',
    ]);
    expect(engine.explain('pay', 'price')).toMatchObject({ value: 99, chosen: { provider: 'quote' } });
  });

  it('says that an injected value comes first, and what it hides', async () => {
    const engine = await prepared(trip(), { card: 'visa', seat: '1A' });
    expect(engine.explain('pay', 'seat')).toMatchObject({ value: '1A', chosen: { place: 'run', provider: null } });
    await engine.storage.injectAtomArgs('pay', { seat: '2B' });
    const explanation = engine.explain('pay', 'seat');
    expect(explanation).toMatchObject({ value: '2B', chosen: { place: 'atom', name: 'pay' } });
    expect(explanation.steps.map(({ place, provider, verdict }) => [place, provider, verdict])).toEqual([
      ['atom', null, 'chosen'],
      ['run', null, 'skipped'],
      ['flow', 'reserve', 'skipped'],
      ['elsewhere', 'again', 'skipped'],
    ]);
  });

  it('says why there is no value: nobody has one yet, or ever will', async () => {
    const engine = await prepared(trip());
    const seat = engine.explain('pay', 'seat');
    expect(seat.chosen).toBeNull();
    expect(seat.missing).toBe('reserve, which provides it, has no result in the state PENDING');
    expect('value' in seat).toBe(false);
    expect(String(seat)).toContain('the flow trip: reserve skipped, it has no result in the state PENDING');
    expect(String(engine.explain('pay', 'card'))).toMatch(/^card of pay has no value: nothing provides "card"$/m);
    expect(String(engine.explain('pay', 'voucher'))).toMatch(/^voucher of pay is left out: nothing provides/);
  });

  it('says the same as the error of an argument that is missing (D8)', async () => {
    const flow = linear('f').add(
      step('half', { provides: ['whole', 'part'], execute: () => ['all'] }),
      step('b', { requires: ['part'] }),
    );
    const engine = await load(flow, { neverResolve: true });
    const error = await rejection(engine.run());
    const { missing, steps } = engine.explain('b', 'part');
    expect(error).toBeInstanceOf(NotFoundError);
    expect(String(error)).toContain(missing);
    expect(steps.at(-1)).toMatchObject({ provider: 'half', reason: 'its result has no value for part' });
  });

  it('names the symbol that an argument is bound to, and explains arguments of revert', async () => {
    const book = task({
      name: 'book',
      signature: { execute: { required: ['name'] }, revert: { required: ['name'] } },
      rebind: { name: 'passenger' },
      execute: () => null,
    });
    const engine = await prepared(linear('f').add(step('who', { provides: 'passenger' }), book));
    await engine.run();
    expect(String(engine.explain('book', 'name'))).toMatch(/^name \(the symbol passenger\) of book comes from who$/m);
    expect(String(engine.explain('book', 'name', { method: 'revert' }))).toMatch(/of book, to revert it, /);
  });

  it('tells apart what cannot be seen', async () => {
    const engine = await prepared(
      unordered('f').add(step('a', { provides: 'x' }), step('b', { optional: ['x'], provides: 'x' })),
    );
    await engine.run();
    const { steps } = engine.explain('b', 'x');
    expect(steps.filter(({ provider }) => provider !== null)).toEqual([
      { place: 'elsewhere', name: null, provider: 'a', verdict: 'skipped', reason: 'it does not come before b' },
      { place: 'elsewhere', name: null, provider: 'b', verdict: 'skipped', reason: 'it cannot use its own result' },
    ]);
  });

  it('refuses what there is not', async () => {
    const engine = await load(linear('f').add(step('pay', { optional: ['price'] })));
    expect(() => engine.explain('pay', 'price')).toThrow(InvalidStateError);
    engine.compile();
    await engine.prepare();
    expect(() => engine.explain('pai', 'price')).toThrow(NotFoundError);
    expect(() => engine.explain('pay', 'prise')).toThrow(
      'execute of pay has no argument "prise" that is looked up; did you mean price?',
    );
  });

  it('shows no value where the codec keeps secrets', async () => {
    const codec = encryptingCodec({ keys: { k: randomBytes(32) }, current: 'k' });
    const flow = linear('f').add(
      step('a', { provides: 'pin', execute: () => 'hunter2' }),
      step('b', { requires: ['pin'] }),
    );
    const engine = await load(flow, { backend: memoryBackend({ codec }) });
    await engine.run();
    const explanation = engine.explain('b', 'pin');
    expect(explanation.value).toBe('hunter2');
    expect(inspect(explanation) + JSON.stringify(explanation) + String(explanation)).not.toContain('hunter2');
  });
});
