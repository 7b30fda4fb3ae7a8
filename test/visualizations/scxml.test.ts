import type { Element } from '@xmldom/xmldom';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, createMachine, fromPromise, setup } from 'xstate';
import { drawFlow, drawMachine } from '../../visualizations/index.js';
import { visible } from '../../visualizations/text.js';
import { MACHINES } from './all-machines.js';
import { flowsOfCases, hostileFlows } from './case-flows.js';
import { HOSTILE_NAMES } from './hostile-names.js';
import { actionsOf, attribute, childrenOf, machineFromScxml, parseScxml, statesIn } from './scxml-machine.js';
import { walk } from './walk.js';

/** What the schema of SCXML asks for beyond XML: ids that are ids and unique, and places that exist. */
function check(text: string): Element {
  const root = parseScxml(text);
  expect([root.localName, attribute(root, 'version')]).toEqual(['scxml', '1.0']);
  const states = [...statesIn(root)];
  const ids = states.map((state) => attribute(state, 'id') ?? '');
  expect(ids.filter((id) => !/^[A-Za-z_][\w.-]*$/.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
  const named = [root, ...states].flatMap((state) => [
    attribute(state, 'initial'),
    ...childrenOf(state, 'transition').map((transition) => attribute(transition, 'target')),
  ]);
  expect(named.flatMap((names) => names?.split(' ') ?? []).filter((id) => !ids.includes(id))).toEqual([]);
  const events = states.flatMap((state) =>
    childrenOf(state, 'transition').map((transition) => attribute(transition, 'event')),
  );
  expect(events.filter((event) => event !== undefined && !/^(\*|[\w-]+(\.[\w-]+)*)$/.test(event))).toEqual([]);
  return root;
}

/** Every way of a machine: `<state> <event> [<guard>] <target> / <actions>`. */
function waysOf(machine: AnyStateMachine): string[] {
  return Object.values(machine.states).flatMap((state) =>
    [...state.transitions.values()].flat().map(({ eventType, guard, target, actions }) => {
      const names = actions.map((action) => (typeof action === 'object' ? action.type : String(action)));
      return `${state.key} ${eventType} [${typeof guard === 'string' ? guard : ''}] ${target?.[0]?.key ?? ''} / ${names.join()}`;
    }),
  );
}

function waysIn(root: Element): string[] {
  return [...statesIn(root)].flatMap((state) =>
    childrenOf(state, 'transition').map((transition) => {
      const [event, cond, target] = ['event', 'cond', 'target'].map((name) => attribute(transition, name) ?? '');
      return `${attribute(state, 'id')} ${event} [${cond}] ${target} / ${actionsOf(transition).join()}`;
    }),
  );
}

describe.each(MACHINES)('the machine $id as SCXML', (machine) => {
  const root = check(drawMachine(machine, { format: 'scxml' }));

  it('has every state, and begins where the machine does', () => {
    expect([...statesIn(root)].map((state) => attribute(state, 'id'))).toEqual(Object.keys(machine.states));
    expect(attribute(root, 'initial')).toBe(machine.root.initial.target[0]?.key);
    const finals = Object.values(machine.states).filter(({ type }) => type === 'final');
    expect(childrenOf(root, 'final').map((state) => attribute(state, 'id'))).toEqual(finals.map(({ key }) => key));
  });

  it('has every transition, and what is done on entry', () => {
    expect(waysIn(root)).toEqual(waysOf(machine));
    for (const state of statesIn(root)) {
      const entry = machine.states[attribute(state, 'id') ?? '']!.entry as readonly (string | { type: string })[];
      const names = actionsOf(childrenOf(state, 'onentry')[0]).map((name) => name.replace(/\(.*/s, ''));
      expect(names).toEqual(entry.map((action) => (typeof action === 'string' ? action : action.type)));
    }
  });

  it('leads everywhere where the machine leads, when it is read again', () => {
    const again = machineFromScxml(drawMachine(machine, { format: 'scxml' }));
    expect(walk(again.provide(machine.implementations))).toEqual(walk(machine));
  });
});

describe('larger charts as SCXML', () => {
  it('have timers, actors, histories, regions and what is done inside a state', () => {
    const machine = setup({
      actors: { renew: fromPromise(() => Promise.resolve()) },
      guards: { isOpen: () => true },
      actions: { log: () => undefined },
      delays: { interval: 1000 },
    }).createMachine({
      id: 'door',
      initial: 'A',
      on: { release: '.B', tell: { actions: 'log' } },
      states: {
        A: {
          initial: 'A1',
          exit: 'log',
          after: { interval: 'B', 500: { guard: 'isOpen', target: 'B' } },
          onDone: 'B',
          on: { again: 'A', anew: { target: 'A', reenter: true } },
          states: {
            A1: {
              always: { guard: 'isOpen', target: 'A2' },
              on: { stay: 'A1', leave: { target: 'A1', reenter: true } },
            },
            A2: { type: 'final' },
            recent: { type: 'history', history: 'deep', target: 'A2' },
            last: { type: 'history' },
          },
        },
        B: { invoke: { id: 'renewal', src: 'renew', onDone: 'A', onError: 'P' }, on: { '*': 'A.recent', nothing: {} } },
        P: { type: 'parallel', states: { left: { on: { up: '#door.P' } }, right: {} } },
      },
    });
    const text = drawMachine(machine, { format: 'scxml' });
    check(text);
    expect(text.split('\n').slice(1)).toEqual([
      '<scxml xmlns="http://www.w3.org/2005/07/scxml" xmlns:flowstate="urn:flowstate:scxml" version="1.0" name="door" datamodel="xstate" initial="door">',
      '  <state id="door" initial="A">',
      '    <transition event="release" target="B" type="internal"/>',
      '    <transition event="tell">',
      '      <flowstate:action name="log"/>',
      '    </transition>',
      '    <state id="A" initial="A1">',
      '      <onentry>',
      '        <send id="after.500.A" event="after.500.A" delay="500ms"/>',
      '        <send id="after.interval.A" event="after.interval.A" delayexpr="interval"/>',
      '      </onentry>',
      '      <onexit>',
      '        <flowstate:action name="log"/>',
      '        <cancel sendid="after.500.A"/>',
      '        <cancel sendid="after.interval.A"/>',
      '      </onexit>',
      '      <transition event="again" target="A1" type="internal"/>',
      '      <transition event="anew" target="A"/>',
      '      <transition event="done.state.A" target="B"/>',
      '      <transition event="after.500.A" cond="isOpen" target="B"/>',
      '      <transition event="after.interval.A" target="B"/>',
      '      <state id="A1">',
      '        <transition cond="isOpen" target="A2"/>',
      '        <transition event="stay"/>',
      '        <transition event="leave" target="A1"/>',
      '      </state>',
      '      <final id="A2"/>',
      '      <history id="recent" type="deep">',
      '        <transition target="A2"/>',
      '      </history>',
      '      <history id="last" type="shallow">',
      '        <transition target="A1"/>',
      '      </history>',
      '    </state>',
      '    <state id="B">',
      '      <invoke id="renewal" src="renew"/>',
      '      <transition event="*" target="recent"/>',
      '      <transition event="nothing"/>',
      '      <transition event="done.invoke.renewal" target="A"/>',
      '      <transition event="error.platform.renewal" target="P"/>',
      '    </state>',
      '    <parallel id="P">',
      '      <state id="left">',
      '        <transition event="up" target="P"/>',
      '      </state>',
      '      <state id="right"/>',
      '    </parallel>',
      '  </state>',
      '</scxml>',
      '',
    ]);
  });

  it('stop when the state around all others is done', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      on: { go: '.end' },
      states: { a: {}, end: { type: 'final' } },
    });
    const text = drawMachine(machine, { format: 'scxml' });
    expect(check(text).getElementsByTagName('final')).toHaveLength(2);
    expect(text).toContain('<transition event="done.state.m" target="_end"/>');
    expect(text).toContain('  <final id="_end"/>\n</scxml>');
  });

  it('can be of a machine without states', () => {
    check(drawMachine(createMachine({ id: 'alone' }), { format: 'scxml' }));
  });
});

describe('names that are syntax, in SCXML', () => {
  it('are told beside the ids and events that take their place', () => {
    const names = [...new Set(HOSTILE_NAMES)].filter((name) => name !== '__proto__' && !name.startsWith('#'));
    const machine = createMachine({
      id: '<m> "1" & 2',
      initial: names[0]!,
      states: Object.fromEntries(names.map((name) => [name, { on: { [name]: { actions: name } } }])),
    });
    const root = check(drawMachine(machine, { format: 'scxml' }));
    const states = [...statesIn(root)];
    const told = (element: Element, name: string) =>
      element.getAttributeNS('urn:flowstate:scxml', name) ?? attribute(element, name === 'name' ? 'id' : name);
    expect(states.map((state) => told(state, 'name')).sort()).toEqual(names.map(visible).sort());
    expect(told(root, 'name')).toBe('<m> "1" & 2');
    const events = states.flatMap((state) => childrenOf(state, 'transition')).map((each) => told(each, 'event'));
    expect(events.sort()).toEqual(names.map(visible).sort());
    const tokens = states.flatMap((state) => childrenOf(state, 'transition')).map((each) => attribute(each, 'event'));
    expect(new Set(tokens).size).toBe(names.length);
  });

  it('make no SCXML that is not valid, whatever a flow is made of', () => {
    for (const plan of flowsOfCases()) check(drawFlow(plan, { format: 'scxml' }));
    fc.assert(
      fc.property(hostileFlows, (plan) => {
        check(drawFlow(plan, { format: 'scxml' }));
      }),
      { numRuns: 50 },
    );
  });
});
