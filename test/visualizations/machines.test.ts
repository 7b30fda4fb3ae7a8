import { describe, expect, it } from 'vitest';
import { and, createMachine, fromPromise, not, setup } from 'xstate';
import { taskMachine } from '../../machines/index.js';
import { compileChart, transitionsOf } from '../../src/interpreter/chart.js';
import { machineToDot, machineToMarkdown, machineToMermaid, machineToSvg } from '../../visualizations/index.js';
import { MACHINES, waysBetween } from './all-machines.js';
import { elementsOf, hasClass, parseXml } from './xml.js';

describe.each(MACHINES)('$id', (machine) => {
  it('has all of its states and changes in SVG', () => {
    const elements = [...elementsOf(parseXml(machineToSvg(machine)))];
    const names = elements.filter((element) => hasClass(element, 'name')).map(({ text }) => text);
    expect(names).toEqual([machine.id, ...Object.keys(machine.states)]);
    expect(elements.filter((element) => hasClass(element, 'arrow'))).toHaveLength(waysBetween(machine).length + 1);
  });

  it('is drawn the same each time', () => {
    expect(machineToSvg(machine)).toBe(machineToSvg(machine));
  });

  it('has a row for every change in its tables', () => {
    const rows = machineToMarkdown(machine)
      .split('\n')
      .map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')));
    const head = rows.findIndex(([, first]) => first === 'from');
    const [from = 0, event = 0, to = 0] = ['from', 'event', 'to'].map((name) => rows[head]?.indexOf(name));
    const changes = rows
      .slice(
        head + 2,
        rows.findIndex((row, at) => at > head && row.length === 1),
      )
      .map((row) => ({ from: row[from], event: row[event], to: row[to] }))
      .filter((change) => change.to !== '(stays)' && change.to !== change.from);
    expect(changes).toEqual(transitionsOf(compileChart(machine)));
  });
});

describe('pictures of machines', () => {
  const machine = setup({
    actors: { renew: fromPromise(() => Promise.resolve()) },
    guards: { isOpen: () => true, isAbove: (_, params: { limit: number }) => params.limit > 0 },
    actions: { log: () => undefined },
    delays: { interval: 1000 },
  }).createMachine({
    id: 'door',
    initial: 'A',
    on: { release: '.B', tell: { actions: 'log' } },
    states: {
      A: {
        initial: 'A1',
        entry: 'log',
        after: { interval: 'B', 500: { guard: { type: 'isAbove', params: { limit: 2 } }, target: 'B' } },
        onDone: 'B',
        states: {
          A1: {
            always: { guard: and(['isOpen', not('isOpen')]), target: 'A2' },
            on: { top: '#door', deep: '#door.P.left' },
          },
          A2: { type: 'final' },
          recent: { type: 'history', history: 'deep' },
        },
      },
      B: { invoke: { src: 'renew', onDone: 'A', onError: 'P' }, on: { '*': 'A.recent', nothing: {} } },
      P: { type: 'parallel', states: { left: { on: { up: '#door.P' } }, right: {} } },
    },
  });

  it('nest states, and say guards, delays, actors and what is done without leaving', () => {
    expect(machineToMermaid(machine).split('\n')).toEqual([
      'stateDiagram-v2',
      '  state "door<br/>tell #47; log" as n0 {',
      '    [*] --> n1',
      '    state "anywhere" as n0_anywhere',
      '    state "A" as n1 {',
      '      [*] --> n2',
      '      state "A1" as n2',
      '      state "A2" as n3',
      '      n3 --> [*]',
      '      state "H#42;" as n4',
      '    }',
      '    state "B<br/>invoke renew" as n5',
      '    state "P<br/>parallel" as n6 {',
      '      state "left" as n7',
      '      --',
      '      state "right" as n8',
      '    }',
      '  }',
      '  n0_anywhere --> n5 : release',
      '  n1 --> n5 : done<br/>after 500 [isAbove(limit#58; 2#41;]<br/>after interval',
      '  n2 --> n3 : always [and(isOpen, not(isOpen))]',
      '  n2 --> n2 : top',
      '  n2 --> n7 : deep',
      '  n5 --> n4 : #42;',
      '  n5 --> n1 : done renew',
      '  n5 --> n6 : error renew',
      '  n7 --> n7 : up #8594; P',
      '',
    ]);
  });

  it('end at clusters in DOT', () => {
    const text = machineToDot(machine);
    expect(text).toContain('n0_initial -> n1_initial [lhead=cluster_n1]');
    expect(text).toContain(
      'n4 -> n5 [ltail=cluster_n1, label="done\\nafter 500 [isAbove(limit: 2)]\\nafter interval"]',
    );
  });

  it('can be drawn as SVG', () => {
    const elements = [...elementsOf(parseXml(machineToSvg(machine)))];
    expect(elements.filter((element) => hasClass(element, 'around'))).toHaveLength(3);
    expect(elements.filter((element) => hasClass(element, 'arrow'))).toHaveLength(11);
  });

  it('say in tables what is entered, ignored and handled without leaving, and no timers of XState', () => {
    expect(machineToMarkdown(machine)).toBe(
      [
        '| state      | kind         | on entry | invokes |',
        '| ---------- | ------------ | -------- | ------- |',
        '| `door`     |              |          |         |',
        '| `A`        | initial      | `log`    |         |',
        '| `A.A1`     | initial      |          |         |',
        '| `A.A2`     | final        |          |         |',
        '| `A.recent` | deep history |          |         |',
        '| `B`        |              |          | `renew` |',
        '| `P`        | parallel     |          |         |',
        '| `P.left`   |              |          |         |',
        '| `P.right`  |              |          |         |',
        '',
        '| from     | event            | guard                      | to         | actions |',
        '| -------- | ---------------- | -------------------------- | ---------- | ------- |',
        '| `door`   | `release`        |                            | `B`        |         |',
        '| `door`   | `tell`           |                            | (stays)    | `log`   |',
        '| `A`      | `done`           |                            | `B`        |         |',
        '| `A`      | `after 500`      | `isAbove(limit: 2)`        | `B`        |         |',
        '| `A`      | `after interval` |                            | `B`        |         |',
        '| `A.A1`   | `always`         | `and(isOpen, not(isOpen))` | `A.A2`     |         |',
        '| `A.A1`   | `top`            |                            | `door`     |         |',
        '| `A.A1`   | `deep`           |                            | `P.left`   |         |',
        '| `B`      | `*`              |                            | `A.recent` |         |',
        '| `B`      | `done renew`     |                            | `A`        |         |',
        '| `B`      | `error renew`    |                            | `P`        |         |',
        '| `P.left` | `up`             |                            | `P`        |         |',
        '',
        '| state | accepts and ignores |',
        '| ----- | ------------------- |',
        '| `B`   | `nothing`           |',
        '',
      ].join('\n'),
    );
  });

  it('say of an event that is ignored sometimes when it is not', () => {
    expect(machineToMarkdown(taskMachine)).toContain('| `RUNNING`   | `execute` (unless `hasProgress`) |');
  });

  it('put the ways between two states on one arrow', () => {
    const twoWays = createMachine({ initial: 'a', states: { a: { on: { left: 'b', right: 'b' } }, b: {} } });
    expect(machineToMermaid(twoWays)).toContain('n1 --> n2 : left<br/>right\n');
    expect(machineToDot(twoWays)).toContain('n1 -> n2 [label="left\\nright"]');
  });

  it('can be of a machine without states', () => {
    const alone = createMachine({ id: 'alone' });
    expect(machineToMermaid(alone)).toBe('stateDiagram-v2\n  state "alone" as n0\n');
    expect(parseXml(machineToSvg(alone)).name).toBe('svg');
    expect(machineToMarkdown(alone)).toBe('\n');
  });
});
