import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createMachine, fromPromise, setup, StateMachine } from 'xstate';
import { machineToStately } from '../../visualizations/index.js';
import { MACHINES } from './all-machines.js';
import { configIn, onlyExportOf } from './exported.js';
import { walk } from './walk.js';

const repository = join(import.meta.dirname, '..', '..');

describe('a machine exported for Stately', () => {
  it('is checked in for every machine, and the flows that are drawn', () => {
    const files = readdirSync(join(repository, 'visualizations', 'diagrams')).filter((name) =>
      name.includes('.stately.'),
    );
    expect(files).toEqual(
      [...MACHINES.map(({ id }) => id), 'album', 'trip'].map((name) => `${name}.stately.js`).sort(),
    );
  });

  it.each(MACHINES)('$id is, from the file that is checked in, the same chart', async (machine) => {
    const file = join(repository, 'visualizations', 'diagrams', `${machine.id}.stately.js`);
    const exported = await onlyExportOf(pathToFileURL(file).href);
    if (!(exported instanceof StateMachine)) throw new TypeError(`${file} exports no machine`);
    const recreated = exported.provide(machine.implementations);
    expect(walk(recreated)).toEqual(walk(machine));
    expect(walk(recreated).adjacency.length).toBe(Object.keys(machine.states).length);
  });

  it.each(MACHINES)('$id keeps all of its configuration', async (machine) => {
    const { context: _, schemas: __, ...config } = machine.config as unknown as Record<string, unknown>;
    const exported = await configIn(machineToStately(machine));
    expect(exported).toEqual(config);
    expect(JSON.stringify(createMachine(exported).definition.states)).toBe(JSON.stringify(machine.definition.states));
  });

  it('keeps what only larger charts have', async () => {
    const machine = setup({
      actors: { renew: fromPromise(() => Promise.resolve()) },
      guards: { canMiss: (_, params: { times: number }) => params.times > 0 },
      actions: { count: () => undefined },
      delays: { interval: 1000 },
    }).createMachine({
      id: 'claim of a job',
      initial: 'HELD',
      on: { release: '.RELEASED' },
      states: {
        HELD: { after: { interval: 'RENEWING', 5: { actions: 'count' } }, tags: ['kept'], meta: { since: null } },
        RENEWING: {
          invoke: {
            src: 'renew',
            input: ({ event }) => event,
            onDone: 'HELD',
            onError: [{ guard: { type: 'canMiss', params: { times: 2 } }, target: 'HELD' }, { target: 'RELEASED' }],
          },
        },
        RELEASED: {
          type: 'parallel',
          states: { left: {}, right: { initial: '1', states: { 1: {}, back: { type: 'history' } } } },
        },
      },
    });
    const text = machineToStately(machine);
    expect(text).toContain('export const claimOfAJobMachine = createMachine({');
    expect(text).not.toContain('input');
    expect(await configIn(text)).toEqual(JSON.parse(JSON.stringify(machine.config)));
  });

  it('survives names that are syntax', async () => {
    const names = [
      `it's "quoted"`,
      '__proto__',
      'constructor',
      '*/ ${x} `',
      'new\nline\u2028',
      '</script>',
      '1',
      'a-b',
      '漢字',
    ];
    const states = Object.fromEntries(names.map((name) => [name, { on: { [name]: { actions: name } } }]));
    const machine = createMachine({ id: '9 lives; alert(1)', initial: '1', states });
    const exported = await configIn(machineToStately(machine));
    expect(exported).toEqual({ id: machine.id, initial: '1', states });
    expect(Object.keys(exported.states ?? {})).toEqual(Object.keys(states));
  });

  it('is refused with an inline function, which nobody could import', () => {
    const machine = createMachine({ initial: 'a', states: { a: { on: { go: { guard: () => true, target: 'a' } } } } });
    expect(() => machineToStately(machine)).toThrow(
      new TypeError('states.a.on.go.guard of a machine takes a name given to setup() to be exported, got a function'),
    );
  });
});
