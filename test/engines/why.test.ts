import { describe, expect, it } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import { load } from '../../src/engines/load.js';
import type { LoadOptions } from '../../src/engines/load.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { Gate, manualEnvironment, settled } from './manual-environment.js';
import { step, throwing } from './steps.js';

/** What the atoms of a flow wait for while the run stands still; the engine, for what comes after. */
async function standing(flow: Flow, options: LoadOptions = {}) {
  const environment = manualEnvironment();
  const engine = await load(flow, { engine: 'parallel', environment, ...options });
  const ended = engine.run().catch(() => undefined);
  await settled();
  const words = () => engine.why().map(({ message }) => message);
  return { engine, ended, words, environment };
}

const waiting = (gate: Gate) => ({ execute: () => gate.promise });

describe('why()', () => {
  it('says before the run that it has not begun, and after it nothing', async () => {
    const engine = await load(linear('f').add(step('a'), step('b')));
    expect(engine.why()).toEqual([
      { atom: 'a', waitsFor: 'start', of: [], message: 'a waits: the run has not begun' },
      { atom: 'b', waitsFor: 'start', of: [], message: 'b waits: the run has not begun' },
    ]);
    await engine.run();
    expect(engine.why()).toEqual([]);
  });

  it('names whose result is needed, who comes before, and whom a decider is to judge', async () => {
    const gate = new Gate();
    const [a, b, c, d] = [
      step('a', { provides: 'x', ...waiting(gate) }),
      step('b', { requires: ['x'] }),
      step('c'),
      step('d'),
    ];
    const flow = graph('f')
      .add(a, b, c, d)
      .link(a, c)
      .link(a, d, { decider: () => true });
    const { words, engine, ended } = await standing(flow);
    expect(words()).toEqual([
      'a waits: it is under way',
      'b waits: it needs what is provided by a',
      'c waits: it comes after a',
      'd waits: a decider is to judge a',
    ]);
    expect(engine.why()[1]).toMatchObject({ atom: 'b', waitsFor: 'result', of: ['a'] });
    gate.open();
    await ended;
  });

  it('says who waits for a worker', async () => {
    const gate = new Gate();
    const flow = unordered('f').add(step('a', waiting(gate)), step('b'));
    const { words, ended } = await standing(flow, { maxWorkers: 1 });
    expect(words()).toEqual(['a waits: it is under way', 'b waits: nobody is free to run it']);
    gate.open();
    await ended;
  });

  it('says in a serial engine who comes first', async () => {
    const gate = new Gate();
    const { words, ended } = await standing(unordered('f').add(step('a', waiting(gate)), step('b')), {
      engine: 'serial',
    });
    expect(words()).toEqual(['a waits: it is under way', 'b waits: nobody is free to run it: first comes a']);
    gate.open();
    await ended;
  });

  it('says until when a retry waits, and who waits for it', async () => {
    const flow = linear('all').add(
      linear('f', { retry: times({ attempts: 2, delay: 60_000 }) }).add(
        step('a'),
        step('fails', { execute: throwing(new Error('no')) }),
      ),
      step('after'),
    );
    const { engine, words, environment, ended } = await standing(flow);
    const until = environment.clock.now() + 60_000;
    const at = new Date(until).toISOString();
    expect(words().toSorted()).toEqual([
      'a waits: it is tried again with f_retry',
      'after waits: it is tried again with f_retry',
      `f_retry waits: its flow is tried again at ${at}`,
      'fails waits: it is tried again with f_retry',
    ]);
    expect(engine.why()).toContainEqual(expect.objectContaining({ atom: 'f_retry', waitsFor: 'delay', until }));
    engine.suspend();
    await ended;
    expect(new Set(engine.why().map(({ waitsFor }) => waitsFor))).toEqual(new Set(['suspended']));
  });

  it('says what has to be undone first', async () => {
    const gate = new Gate();
    const flow = linear('f').add(
      step('a'),
      step('b', { revert: () => gate.promise }),
      step('c', { execute: throwing(new Error('no')) }),
    );
    const { words, ended } = await standing(flow);
    expect(words()).toEqual(['a waits: first has to be undone b', 'b waits: it is under way']);
    gate.open();
    await ended;
  });

  it('says that a run was cancelled', async () => {
    const gate = new Gate();
    const { engine, words, ended } = await standing(linear('f').add(step('a'), step('b', waiting(gate))));
    const cancelled = engine.cancel();
    expect(words()).toEqual(['a waits: the run was cancelled, and is about to be undone', 'b waits: it is under way']);
    gate.open();
    await Promise.all([ended, cancelled]);
    expect(engine.why()).toEqual([]);
  });

  it('has something to say of an empty flow', async () => {
    const engine = await load(linear('f'));
    expect(engine.why()).toEqual([
      { atom: null, waitsFor: 'start', of: [], message: 'The flow waits: the run has not begun' },
    ]);
  });

  it('changes nothing, and counts nothing', async () => {
    const gate = new Gate();
    const { engine, ended } = await standing(linear('f').add(step('a', waiting(gate)), step('b')));
    const before = JSON.stringify([engine.storage.flowDetail(), engine.statistics]);
    engine.why();
    expect(JSON.stringify([engine.storage.flowDetail(), engine.statistics])).toBe(before);
    gate.open();
    await ended;
  });
});
