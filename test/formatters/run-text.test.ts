import { describe, expect, it } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import { load } from '../../src/engines/load.js';
import type { Flow } from '../../src/flows/flow.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { formatFlow, formatRun } from '../../src/formatters/run-text.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { rejection, step, throwing } from '../engines/steps.js';

const trip = () =>
  linear('trip', { retry: times({ name: 'patience', attempts: 1 }) }).add(
    step('reserve', { requires: ['flight'], provides: 'seat', execute: () => ({ seat: '12A', pin: 'hunter2' }) }),
    unordered('tell').add(step('mail', { requires: ['seat'] }), step('text', { optional: ['phone'] })),
    step('pay', { execute: throwing(new Error('declined')), revert: throwing(new Error('stuck')) }),
  );

describe('formatFlow', () => {
  it('shows the parts of a flow, with what they require and provide', () => {
    expect(formatFlow(trip()).split('\n')).toEqual([
      'trip (linear)',
      '├─ patience (retry)',
      '├─ reserve: flight → seat',
      '├─ tell (unordered)',
      '│  ├─ mail: seat',
      '│  └─ text',
      '└─ pay',
    ]);
    expect(formatFlow(step('alone', { provides: 'x' }))).toBe('alone: → x');
  });
});

describe('flows that nest deeper than calls do', () => {
  it('are text, too', async () => {
    let flow: Flow = linear('innermost').add(step('a'));
    for (let depth = 0; depth < 5000; depth++) flow = linear(`f${depth}`).add(flow);
    expect(formatFlow(flow).split('\n')).toHaveLength(5002);
    expect(
      formatRun(await load(flow))
        .split('\n')
        .at(-1),
    ).toMatch(/^ +└─ a PENDING$/);
  });
});

describe('formatRun', () => {
  it('shows states, and what failed', async () => {
    const engine = await load(trip(), { store: { flight: 'LH 400' } });
    expect(formatRun(engine).split('\n')[0]).toBe('trip (linear) PENDING');
    await rejection(engine.run());
    expect(formatRun(engine).split('\n')).toEqual([
      'trip (linear) FAILURE',
      '├─ patience SUCCESS',
      '├─ reserve SUCCESS',
      '├─ tell (unordered)',
      '│  ├─ mail SUCCESS',
      '│  └─ text SUCCESS',
      '└─ pay REVERT_FAILURE: Failure: Error: stuck',
    ]);
    const alone = await load(step('alone'));
    expect(formatRun(alone)).toBe('alone PENDING');
  });

  it('shows arguments and results only when it is told to, masked and shortened', async () => {
    const engine = await load(trip(), { store: { flight: 'L'.repeat(300) } });
    await rejection(engine.run());
    expect(formatRun(engine)).not.toMatch(/12A|LLL/);
    const lines = formatRun(engine, { showValues: true, maskKeys: ['pin'], maxLength: 60 }).split('\n');
    expect(lines[2]).toMatch(/^├─ reserve SUCCESS \{ flight: 'L{49}… \(254 more\) → \{ seat: '12A', pin: '\*\*\*' \}$/);
    expect(lines[4]).toBe("│  ├─ mail SUCCESS { seat: { seat: '12A', pin: '***' } } → 'mail'");
    expect(lines[5]).toBe("│  └─ text SUCCESS → 'text'");
  });

  it('shows a run that was loaded and is not prepared', async () => {
    const backend = memoryBackend();
    const first = await load(linear('f').add(step('a', { provides: 'x' }), step('b', { requires: ['x'] })), {
      backend,
    });
    first.atomNotifier.register('SUCCESS', () => first.suspend());
    await first.run();
    const flowDetail = await (await backend.getConnection()).getFlowDetail(first.storage.flowUuid);
    const second = await load(linear('f').add(step('a', { provides: 'x' }), step('b', { requires: ['x'] })), {
      flowDetail,
    });
    expect(formatRun(second, { showValues: true }).split('\n')).toEqual([
      'f (linear) SUSPENDED',
      "├─ a SUCCESS → 'a'",
      '└─ b PENDING',
    ]);
  });
});
