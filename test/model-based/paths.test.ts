import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { setup } from 'xstate';
import { engineMachine, flowMachine, retryMachine, taskMachine } from '../../machines/index.js';
import { nameOf, targetOf, transitionsOf } from './coverage.js';
import { pathsOf } from './paths.js';

const door = setup({
  types: { events: {} as { type: 'open' | 'close' } | { type: 'lock'; withKey: boolean } },
  guards: { hasKey: ({ event }) => 'withKey' in event && event.withKey },
}).createMachine({
  id: 'door',
  initial: 'CLOSED',
  context: {},
  states: {
    CLOSED: { on: { open: 'OPEN', lock: [{ guard: 'hasKey', target: 'LOCKED' }, {}], close: {} } },
    OPEN: { on: { close: 'CLOSED' } },
    LOCKED: {},
  },
});

const { simple, returning } = pathsOf(door, { input: {}, flags: { hasKey: 'withKey' } });

describe('the paths through a chart', () => {
  it('are all on which no state comes twice', () => {
    expect(simple.map(({ title }) => title)).toEqual(['CLOSED, open → OPEN', 'CLOSED, lock [hasKey] → LOCKED']);
  });

  it('and one for each transition that leads back or nowhere', () => {
    expect(returning.map(({ title }) => title)).toEqual([
      'CLOSED, lock is ignored',
      'CLOSED, close is ignored',
      'CLOSED, open → OPEN, close → CLOSED',
    ]);
  });

  it('have events whose flags choose the branch', () => {
    const last = (title: string) => [...simple, ...returning].find((path) => path.title === title)?.steps.at(-1);
    expect(last('CLOSED, lock [hasKey] → LOCKED')?.event).toEqual({ type: 'lock', withKey: true });
    expect(last('CLOSED, lock is ignored')?.event).toEqual({ type: 'lock', withKey: false });
  });

  it('lead a walker step by step, and tell it where it has to be', async () => {
    const log: string[] = [];
    await returning.at(-1)?.walk({
      begin: async () => void log.push('begin'),
      take: async ({ name }, following) => void log.push(`${name}, then ${following.length} more`),
      arrive: async (state) => void log.push(state),
    });
    expect(log).toEqual(['begin', 'CLOSED', 'CLOSED open, then 1 more', 'OPEN', 'OPEN close, then 0 more', 'CLOSED']);
  });

  it('end where the walker is wrong', async () => {
    const walk = simple[0]?.walk({
      begin: async () => undefined,
      take: async () => undefined,
      arrive: async (state) => expect(state).toBe('CLOSED'),
    });
    await expect(walk).rejects.toThrow("expected 'OPEN' to be 'CLOSED'");
  });

  it.each([engineMachine, flowMachine, taskMachine, retryMachine])('of the chart $id are all there are', (machine) => {
    const paths = pathsOf(machine, {
      input: { name: 'a', index: 0 },
      flags: { hasProgress: 'hasProgress', isAtStart: 'atStart' },
    });
    expect(paths.simple).toHaveLength(waysOn(machine, machine.root.initial.target[0]!.key));
    const taken = [...paths.simple, ...paths.returning].flatMap(({ steps }) => steps.map(({ name }) => name));
    expect([...new Set(taken)].sort()).toEqual(transitionsOf(machine).map(nameOf).sort());
  });
});

/** Counts the ways that go on until every way on leads back. */
function waysOn(machine: AnyStateMachine, from: string, passed: readonly string[] = []): number {
  const visited = [...passed, from];
  const further = transitionsOf(machine)
    .filter(({ source }) => source.key === from)
    .map((definition) => targetOf(definition))
    .filter((target) => target !== null && !visited.includes(target));
  return further.reduce((sum, target) => sum + waysOn(machine, target!, visited), 0) || 1;
}
