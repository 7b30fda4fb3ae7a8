import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, createMachine, fromPromise, setup, StateMachine } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { engineMachine, flowMachine, retryMachine, taskMachine } from '../../machines/index.js';
import { machineToStately } from '../../visualizations/index.js';

type Config = Parameters<typeof createMachine>[0];

const repository = join(import.meta.dirname, '..', '..');
const MACHINES: readonly AnyStateMachine[] = [engineMachine, flowMachine, taskMachine, retryMachine];

async function onlyExportOf(url: string): Promise<unknown> {
  const exported: unknown = await import(/* @vite-ignore */ url);
  const values: unknown[] = Object.values(exported as object);
  expect(values).toHaveLength(1);
  return values[0];
}

/** What the text gives to `createMachine`. */
async function configIn(text: string): Promise<Config> {
  const module = text.replace("import { createMachine } from 'xstate';\n", '').replace('= createMachine(', '= (');
  return (await onlyExportOf(`data:text/javascript,${encodeURIComponent(module)}`)) as Config;
}

/** What XState gives, as far as the charts are concerned: its own types of any machine are any. */
interface Neighbours {
  readonly transitions: Readonly<Record<string, { readonly state: { readonly value: unknown } }>>;
}
interface Path {
  readonly state: { readonly value: unknown };
  readonly steps: readonly { readonly event: unknown }[];
}

/** Where every event, with every answer that a guard could want, leads from every state. */
function walk(machine: AnyStateMachine) {
  const types: readonly string[] = machine.events;
  const flags = [false, true].flatMap((atStart) => [false, true].map((hasProgress) => ({ atStart, hasProgress })));
  const options = {
    events: types.flatMap((type) => flags.map((flag) => ({ type, ...flag }))),
    input: { name: 'a', index: 0 },
    serializeState: ({ value }: { value: unknown }) => JSON.stringify(value),
  };
  const adjacency = getAdjacencyMap(machine, options) as unknown as Readonly<Record<string, Neighbours>>;
  const paths = getShortestPaths(machine, options) as readonly Path[];
  return {
    adjacency: Object.entries(adjacency).map(([from, { transitions }]) => [
      from,
      Object.entries(transitions).map(([event, { state }]) => [event, state.value]),
    ]),
    paths: paths.map(({ state, steps }) => [state.value, steps.map(({ event }) => event)]),
  };
}

describe('a machine exported for Stately', () => {
  it('is checked in for every machine', () => {
    const files = readdirSync(join(repository, 'visualizations', 'diagrams')).filter((name) =>
      name.includes('.stately.'),
    );
    expect(files).toEqual(MACHINES.map(({ id }) => `${id}.stately.js`).sort());
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
