import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { flowMachine } from '../../machines/index.js';
import { Coverage, nameOf, transitionsOf } from './coverage.js';

const light = setup({
  types: { events: {} as { type: 'press' | 'blow' } },
  guards: { isDark: () => true },
  actions: { click: () => undefined },
}).createMachine({
  id: 'light',
  initial: 'OFF',
  states: {
    OFF: { on: { press: [{ guard: 'isDark', target: 'ON' }, {}], blow: 'BROKEN' } },
    ON: { on: { press: 'OFF' } },
    BROKEN: { type: 'final' },
  },
});

function transitionNamed(name: string, machine = light) {
  const found = transitionsOf(machine).find((definition) => nameOf(definition) === name);
  if (found === undefined) throw new RangeError(`There is no ${name}`);
  return found;
}

describe('coverage of transitions', () => {
  it('counts every branch of every state, those that change nothing, too', () => {
    expect(transitionsOf(light).map(nameOf)).toEqual(['OFF press [isDark]', 'OFF press', 'OFF blow', 'ON press']);
  });

  it('is not complete while one is missing, and names it', () => {
    const coverage = new Coverage(light);
    for (const name of ['OFF press [isDark]', 'OFF press', 'ON press']) coverage.take(transitionNamed(name));
    expect(coverage.missing).toEqual(['OFF blow']);
    expect(coverage.percent).toBe(75);
    expect(String(coverage)).toBe('light: 3 of 4 transitions; missing: OFF blow');
    coverage.take(transitionNamed('OFF blow'));
    expect(coverage.missing).toEqual([]);
    expect(coverage.percent).toBe(100);
  });

  it('counts a transition once, however often it is taken', () => {
    const coverage = new Coverage(light);
    coverage.take(transitionNamed('ON press'));
    coverage.take(transitionNamed('ON press'));
    expect(coverage.percent).toBe(25);
  });

  it('takes the transitions of the machine with services for those of the machine', () => {
    const coverage = new Coverage(light);
    coverage.take(transitionNamed('OFF blow', light.provide({ actions: { click: () => undefined } })));
    expect(coverage.missing).not.toContain('OFF blow');
  });

  it('refuses the transition of another machine', () => {
    const [foreign] = transitionsOf(flowMachine);
    expect(() => new Coverage(light).take(foreign!)).toThrow('The machine light has no transition PENDING reset');
  });
});
