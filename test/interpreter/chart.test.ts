import { describe, expect, it } from 'vitest';
import { assign, createMachine, fromPromise, setup } from 'xstate';
import { compileChart } from '../../src/interpreter/chart.js';
import { bindChart } from '../../src/interpreter/services.js';
import { CompilationError } from '../../src/errors.js';

describe('the chart compiler refuses what it does not fully support', () => {
  const flat = { A: {}, B: {} };

  it.each([
    ['nested states', createMachine({ initial: 'A', states: { A: { initial: 'x', states: { x: {} } } } }), /compound/],
    ['parallel states', createMachine({ type: 'parallel', states: flat }), /parallel/],
    ['eventless transitions', createMachine({ initial: 'A', states: { A: { always: 'B' }, B: {} } }), /eventless/],
    [
      'delayed transitions',
      createMachine({ initial: 'A', states: { A: { after: { 5: 'B' } }, B: {} } }),
      /entry of A|delayed|exit|named/,
    ],
    [
      'invoked actors',
      createMachine({ initial: 'A', states: { A: { invoke: { src: fromPromise(() => Promise.resolve()) } } } }),
      /invokes/,
    ],
    ['wildcards', createMachine({ initial: 'A', states: { A: { on: { '*': 'B' } }, B: {} } }), /wildcard/],
    ['events of the root', createMachine({ initial: 'A', on: { go: '.B' }, states: flat }), /root has transitions/],
    [
      'inline actions',
      createMachine({
        initial: 'A',
        states: { A: { entry: () => undefined, on: { go: 'B' } }, B: { on: { back: 'A' } } },
      }),
      /not named/,
    ],
    [
      'assignments',
      createMachine({ initial: 'A', states: { A: { on: { go: { actions: assign({}) } } } } }),
      /not named|assign/,
    ],
    [
      'inline guards',
      createMachine({ initial: 'A', states: { A: { on: { go: { guard: () => true, target: 'B' } } }, B: {} } }),
      /guard that is not named/,
    ],
  ])('%s', (_, machine, message) => {
    expect(() => compileChart(machine)).toThrow(CompilationError);
    expect(() => compileChart(machine)).toThrow(message);
  });

  it('names the chart', () => {
    expect(() => compileChart(createMachine({ id: 'lamp', type: 'parallel', states: flat }))).toThrow(/lamp/);
  });

  it('names an action without a service when it is bound', () => {
    const machine = setup({ actions: { ring: () => undefined } }).createMachine({
      initial: 'A',
      states: { A: { on: { go: { actions: 'ring' } } } },
    });
    expect(() => bindChart(compileChart(machine), {})).toThrow(/ring .* no service/);
  });
});
