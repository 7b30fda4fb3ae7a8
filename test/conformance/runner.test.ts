import { describe, expect, it } from 'vitest';
import { parseCase } from './case.js';
import { readCommandLine } from './options.js';
import { judgeCase } from './runner.js';
import type { Settings } from './runner.js';
import { openMemory } from './stores.js';

const settings: Settings = {
  engine: 'serial',
  interpreter: 'compiled',
  checkpoint: null,
  lenient: false,
  timeoutMs: 5000,
  openBackend: openMemory,
};

const flowEvent = (old: string, now: string) => ({ event: 'flow', name: 'f', old, new: now });
const taskEvent = (old: string, now: string, more: object = {}) => ({
  event: 'task',
  name: 'a',
  old,
  new: now,
  ...more,
});

const trace = [
  flowEvent('PENDING', 'RUNNING'),
  { engine: 'RESUMING' },
  { engine: 'SCHEDULING' },
  taskEvent('PENDING', 'RUNNING'),
  { call: 'execute', scope: 'task', name: 'a', args: { x: 2 } },
  { engine: 'WAITING' },
  { engine: 'ANALYZING' },
  taskEvent('RUNNING', 'SUCCESS', { result: 12 }),
  { engine: 'SUCCESS' },
  flowEvent('RUNNING', 'SUCCESS'),
];

const run = {
  end: { ok: true },
  trace,
  flowState: 'SUCCESS',
  atoms: { a: { kind: 'task', state: 'SUCCESS', result: 12 } },
  fetchAll: { x: 2, y: 12 },
};

function caseWith(changes: object = {}) {
  const task = { type: 'task', name: 'a', args: ['x'], provides: 'y', execute: [{ sumArgs: 10 }] };
  return parseCase({
    name: 'one task',
    group: 'made up',
    origin: 'own',
    features: [],
    pins: [],
    orderSensitivity: 'none',
    threadsAgree: true,
    flow: { type: 'flow', pattern: 'linear', name: 'f', children: [task] },
    store: { x: 2 },
    engine: { deferReverts: true },
    runs: [{}],
    expected: { build: { ok: true }, runs: [run] },
    ...changes,
  });
}

const expecting = (changes: object) => caseWith({ expected: { build: { ok: true }, runs: [{ ...run, ...changes }] } });

describe('running a case', () => {
  it('says nothing of one that passes, serial or parallel', async () => {
    expect(await judgeCase(caseWith(), settings)).toEqual([]);
    expect(await judgeCase(caseWith(), { ...settings, engine: 'parallel' })).toEqual([]);
    expect(await judgeCase(caseWith(), { ...settings, interpreter: 'native' })).toEqual([]);
  });

  it('says what differs, for each checkpoint', async () => {
    const other = trace.with(4, { call: 'execute', scope: 'task', name: 'a', args: { x: 3 } });
    expect(await judgeCase(expecting({ trace: other }), settings)).toEqual([
      'runs[0].trace[4].args.x: expected 3, got 2',
      'runs[0].trace[4].args.x: expected 3, got 2 (checkpoint: change)',
    ]);
    expect(
      await judgeCase(expecting({ trace: trace.slice(0, -1) }), { ...settings, checkpoint: 'round' }),
    ).toHaveLength(1);
    expect(await judgeCase(expecting({ end: { raised: {} } }), { ...settings, checkpoint: 'round' })).toHaveLength(1);
  });

  it('wants as many runs as are expected', async () => {
    const expected = { build: { ok: true }, runs: [run, run] };
    expect(await judgeCase(caseWith({ expected }), { ...settings, checkpoint: 'round' })).toEqual([
      expect.stringMatching(/^runs\[1\]: expected .*, got nothing$/),
    ]);
    expect(await judgeCase(caseWith({ runs: [{}, {}] }), { ...settings, checkpoint: 'round' })).toEqual([
      expect.stringMatching(/^runs\[1\]: expected nothing, got /),
    ]);
  });

  it('takes a process that dies for a run of its own', async () => {
    const crashed = {
      end: { crashed: true },
      trace: trace.slice(0, 4),
      flowState: 'RUNNING',
      atoms: { a: { kind: 'task', state: 'RUNNING', result: null } },
    };
    const resumed = {
      end: { ok: true },
      flowState: 'SUCCESS',
      atoms: { a: { kind: 'task', state: 'SUCCESS', result: 12 } },
    };
    const test = caseWith({
      runs: [{ crashOn: { event: 'task', name: 'a', state: 'RUNNING' } }, { engine: 'new' }],
      expected: { build: { ok: true }, runs: [crashed, resumed] },
    });
    expect(await judgeCase(test, settings)).toEqual([]);
  });

  it('fails a case that hangs, with the reason', async () => {
    const openBackend = () => new Promise<never>(() => undefined);
    const [reason] = await judgeCase(caseWith(), { ...settings, timeoutMs: 20, openBackend });
    expect(reason).toContain('did not end within 20 ms');
  });

  it('fails a case that throws, with the reason', async () => {
    const openBackend = () => Promise.reject(new Error('no store'));
    const [reason] = await judgeCase(caseWith(), { ...settings, openBackend });
    expect(reason).toContain('no store');
  });
});

describe('the command line', () => {
  it('has defaults', () => {
    expect(readCommandLine([])).toMatchObject({
      directory: 'test/conformance/cases',
      engine: 'serial',
      checkpoint: null,
      lenient: false,
      sample: null,
      seed: 1,
    });
  });

  it('takes a directory and options', () => {
    const args = [
      'other',
      '--engine',
      'parallel',
      '--backend',
      'sqlite:runs.db',
      '--timeout-ms',
      '50',
      '--crash',
      'every-commit',
    ];
    expect(readCommandLine(args)).toMatchObject({
      directory: 'other',
      engine: 'parallel',
      backend: 'sqlite:runs.db',
      timeoutMs: 50,
      crash: 'every-commit',
    });
  });

  it('refuses what it does not know', () => {
    expect(() => readCommandLine(['--engine', 'fast'])).toThrow(
      '--engine takes serial or parallel or workers, got fast',
    );
    expect(() => readCommandLine(['--timeout-ms', '0'])).toThrow('--timeout-ms takes a whole number from 1, got 0');
    expect(() => readCommandLine(['--nonsense'])).toThrow(TypeError);
    expect(() => readCommandLine(['one', 'two'])).toThrow('one directory');
  });
});
