import { describe, expect, it } from 'vitest';
import type { LoadOptions } from '../../src/engines/load.js';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import { interrupting, never } from '../../src/testing/interrupting-backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { rejection, step } from './steps.js';

function loading(options: object): Promise<unknown> {
  return rejection(load(linear('f').add(step('a')), options as LoadOptions));
}

describe('options of an engine', () => {
  it.each([
    ['deferRevert', 'deferReverts'],
    ['defer_reverts', 'deferReverts'],
    ['checkpoints', 'checkpoint'],
    ['maxworkers', 'maxWorkers'],
    ['flowDetial', 'flowDetail'],
    ['bakend', 'backend'],
    ['stor', 'store'],
    ['engin', 'engine'],
  ])('D18: %s is not one, and %s was probably meant', async (given, meant) => {
    const error = await loading({ [given]: 1 });
    expect(error).toBeInstanceOf(RangeError);
    expect((error as Error).message).toContain(JSON.stringify(given));
    expect((error as Error).message).toContain(`did you mean ${meant}?`);
  });

  it('D18: one that is like no other is refused with all that there are', async () => {
    expect(String(await loading({ colour: 'red' }))).toMatch(/"colour".*deferReverts.*checkpoint/);
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('D18: %s is not one', async (name) => {
    const options = Object.defineProperty({}, name, { value: true, enumerable: true });
    expect(await loading(options)).toBeInstanceOf(RangeError);
  });

  it.each([
    [{ deferReverts: 'yes' }, TypeError, /deferReverts takes true or false, got yes/],
    [{ neverResolve: 1 }, TypeError, /neverResolve/],
    [{ injectTransient: null }, TypeError, /injectTransient/],
    [{ gatherStatistics: 'off' }, TypeError, /gatherStatistics/],
    [{ checkpoint: 'rounds' }, RangeError, /checkpoint takes 'round' or 'change', got "rounds"/],
    [{ interpreter: 'xstate' }, RangeError, /interpreter takes 'compiled' or 'native', got "xstate"/],
    [{ onPlanChange: true }, RangeError, /onPlanChange takes 'accept', 'refuse' or a function, got true/],
    [{ maxWorkers: 0 }, RangeError, /maxWorkers takes a whole number from 1.*got 0/],
    [{ maxWorkers: -1 }, RangeError, /maxWorkers.*got -1/],
    [{ maxWorkers: 1.5 }, RangeError, /maxWorkers.*got 1\.5/],
    [{ maxWorkers: NaN }, RangeError, /maxWorkers.*got NaN/],
    [{ maxWorkers: '4' }, RangeError, /maxWorkers.*got 4/],
    [{ commitRetry: { attempts: 0 } }, RangeError, /commitRetry\.attempts takes a whole number from 1, got 0/],
    [
      { commitRetry: { delayMs: -1 } },
      RangeError,
      /commitRetry\.delayMs takes milliseconds from 0 to 2147483647, got -1/,
    ],
    [{ commitRetry: { delayMs: Infinity } }, RangeError, /commitRetry\.delayMs.*got Infinity/],
    [{ commitRetry: { backoff: 0.5 } }, RangeError, /commitRetry\.backoff takes a factor from 1, got 0\.5/],
    [{ commitRetry: { backoff: Infinity } }, RangeError, /commitRetry\.backoff.*got Infinity/],
    [{ commitRetry: { maxDelayMs: -5 } }, RangeError, /commitRetry\.maxDelayMs takes milliseconds.*got -5/],
    [{ commitRetry: { jitter: 1.5 } }, RangeError, /commitRetry\.jitter takes a number from 0 to 1, got 1\.5/],
    [{ commitRetry: { jitter: '0.5' } }, RangeError, /commitRetry\.jitter.*got 0\.5/],
    [{ commitRetry: { atempts: 2 } }, RangeError, /commitRetry takes attempts.*got "atempts"; did you mean attempts\?/],
    [{ commitRetry: 3 }, TypeError, /commitRetry takes an object with attempts.*got 3/],
    [{ commitRetry: null }, TypeError, /commitRetry takes an object.*got null/],
    [{ fence: 0 }, RangeError, /fence takes a whole number from 1, got 0/],
    [{ fence: 1.5 }, RangeError, /fence.*got 1\.5/],
    [{ fence: '7' }, RangeError, /fence.*got 7/],
    [{ executor: {} }, TypeError, /executor takes an object with a submit method/],
    [{ executor: null }, TypeError, /executor takes an object with a submit method/],
    [{ executor: 'gpu' }, RangeError, /executor takes/],
  ] as const)('%j is refused, with what the option takes', async (options, kind, message) => {
    const error = await loading(options);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toMatch(message);
  });

  it('an option that is undefined counts as left out', async () => {
    const engine = await load(linear('f').add(step('a')), { checkpoint: undefined, maxWorkers: undefined });
    expect(engine.options).toMatchObject({ checkpoint: 'round', maxWorkers: Infinity });
  });

  it('have these defaults', async () => {
    const { options } = await load(linear('f'));
    expect(options).toMatchObject({
      deferReverts: true,
      neverResolve: false,
      injectTransient: true,
      gatherStatistics: true,
      checkpoint: 'round',
      interpreter: 'compiled',
      onPlanChange: 'refuse',
      commitRetry: { attempts: 3, delayMs: 5000, backoff: 1, maxDelayMs: 60_000, jitter: 0 },
    });
  });

  it('what is refused opens no store', async () => {
    let opened = 0;
    const backend = interrupting(memoryBackend(), never);
    const getConnection = () => {
      opened += 1;
      return backend.getConnection();
    };
    await loading({ backend: { ...backend, getConnection }, checkpoint: 'never' });
    expect(opened).toBe(0);
  });

  it.each([
    [true, null, { x: 1 }],
    [false, { x: 1 }, { x: 1 }],
  ])('injectTransient: %s keeps what an atom injects for itself as %j', async (injectTransient, kept, used) => {
    const flow = linear('f').add(step('a', { inject: { x: 1 }, requires: ['x'], execute: (args) => args }));
    const engine = await load(flow, { injectTransient });
    await engine.run();
    expect(engine.storage.detail('a').meta['injected'] ?? null).toEqual(kept);
    expect(engine.storage.get('a')).toEqual(used);
  });
});
