import type { InspectionEvent } from 'xstate';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { engineMachine, flowMachine, retryMachine, taskMachine } from '../../machines/index.js';
import { times } from '../../src/atoms/retries.js';
import type { Engine } from '../../src/engines/engine.js';
import { load } from '../../src/engines/load.js';
import { NotFoundError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { settled } from './manual-environment.js';
import { step } from './steps.js';

interface Actor {
  readonly id: string;
  readonly _parent?: { readonly id: string };
  readonly logic?: { readonly id?: string; readonly config?: { readonly id?: string } };
}

function actorOf(event: InspectionEvent): Actor {
  return event.actorRef as unknown as Actor;
}

/** `<type> <actor> <event>`, without the events that XState sends to itself. */
function eventsIn(events: readonly InspectionEvent[], type: string): string[] {
  return events.flatMap((event) => {
    if (event.type !== type || !('event' in event) || event.event.type === 'xstate.init') return [];
    return [`${actorOf(event).id} ${event.event.type}`];
  });
}

function snapshotsIn(events: readonly InspectionEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type !== '@xstate.snapshot' || event.event.type === 'xstate.init') return [];
    return 'value' in event.snapshot ? [`${actorOf(event).id} ${String(event.snapshot.value)}`] : [];
  });
}

function loaded(interpreter: 'compiled' | 'native'): Promise<Engine> {
  return load(linear('f', { retry: times({ name: 'r' }) }).add(step('a')), { interpreter });
}

const STAGES = [
  'RESUMING',
  'SCHEDULING',
  'WAITING',
  'ANALYZING',
  'SCHEDULING',
  'WAITING',
  'ANALYZING',
  'GAME_OVER',
  'SUCCESS',
];

afterEach(() => vi.restoreAllMocks());

describe.each(['compiled', 'native'] as const)('inspecting an engine that is %s', (interpreter) => {
  it('shows every actor with its parent and its machine', async () => {
    const engine = await loaded(interpreter);
    engine.compile();
    await engine.prepare();
    const actors = new Map<string, Actor>();
    engine.inspect((event) => {
      if (event.type === '@xstate.actor') actors.set(actorOf(event).id, actorOf(event));
    });
    expect([...actors.keys()].sort()).toEqual(['engine:f', 'flow:f', 'retry:r', 'task:a']);
    for (const id of ['flow:f', 'retry:r', 'task:a']) expect(actors.get(id)?._parent?.id).toBe('engine:f');
    const machines = [...actors.values()].map(({ id, logic }) => [id, logic?.id ?? logic?.config?.id]);
    expect(Object.fromEntries(machines)).toEqual({
      'engine:f': engineMachine.id,
      'flow:f': flowMachine.id,
      'retry:r': retryMachine.id,
      'task:a': taskMachine.id,
    });
  });

  it('shows each actor once, also those that are made later', async () => {
    const engine = await loaded(interpreter);
    const ids: string[] = [];
    engine.inspect((event) => {
      if (event.type === '@xstate.actor') ids.push(actorOf(event).id);
    });
    await engine.run();
    expect(ids.sort()).toEqual(['engine:f', 'flow:f', 'retry:r', 'task:a']);
  });

  it('shows events and snapshots of the engine, the flow and the atoms', async () => {
    const engine = await loaded(interpreter);
    const events: InspectionEvent[] = [];
    engine.inspect((event) => events.push(event));
    await engine.run();
    const of = (texts: string[], id: string) =>
      texts.filter((text) => text.startsWith(`${id} `)).map((text) => text.slice(id.length + 1));
    const sent = eventsIn(events, '@xstate.event');
    const snapshots = snapshotsIn(events);
    expect(of(snapshots, 'engine:f')).toEqual(STAGES);
    expect(of(snapshots, 'flow:f').filter((state) => state !== 'PENDING')).toEqual(['RUNNING', 'SUCCESS']);
    expect(of(snapshots, 'retry:r')).toEqual(['RUNNING', 'SUCCESS']);
    expect(of(snapshots, 'task:a')).toEqual(['RUNNING', 'SUCCESS']);
    expect(of(sent, 'task:a')).toEqual(['execute', 'succeeded']);
    expect(of(sent, 'retry:r')).toEqual(['execute', 'succeeded']);
    expect(of(sent, 'flow:f').filter((event) => event === 'run' || event === 'succeeded')).toEqual([
      'run',
      'succeeded',
    ]);
    expect(of(sent, 'engine:f').at(0)).toBe('start');
  });

  it('shows each transition with its definition in the machine', async () => {
    const engine = await loaded(interpreter);
    const transitions: string[] = [];
    engine.inspect((event) => {
      if (event.type !== '@xstate.microstep' || actorOf(event).id !== 'task:a') return;
      for (const { source, eventType } of event._transitions as unknown as {
        source: { key: string };
        eventType: string;
      }[]) {
        transitions.push(`${source.key} ${eventType}`);
      }
    });
    await engine.run();
    expect(transitions.filter((each) => !each.includes('xstate.init'))).toEqual([
      'PENDING execute',
      'RUNNING succeeded',
    ]);
  });

  it('an observer that comes before the second run hears of it once, as does one that was there', async () => {
    const engine = await loaded(interpreter);
    const first: InspectionEvent[] = [];
    engine.inspect((event) => first.push(event));
    await engine.run();
    await engine.reset();
    first.length = 0;
    const second: InspectionEvent[] = [];
    let joined = false;
    for await (const _ of engine.runIter()) {
      if (joined) continue;
      joined = true;
      engine.inspect((event) => second.push(event));
    }
    const stagesOf = (events: readonly InspectionEvent[]) =>
      snapshotsIn(events).filter((each) => each.startsWith('engine:f'));
    expect(stagesOf(first)).toEqual(STAGES.map((stage) => `engine:f ${stage}`));
    expect(stagesOf(second)).toEqual(STAGES.slice(1).map((stage) => `engine:f ${stage}`));
  });

  it('actors of runs that are over are not shown again', async () => {
    const engine = await loaded(interpreter);
    await engine.run();
    engine.storage.setFlowState('SUSPENDED');
    await engine.run();
    const ids: string[] = [];
    engine.inspect((event) => {
      if (event.type === '@xstate.actor') ids.push(actorOf(event).id);
    });
    expect(ids.sort()).toEqual(['engine:f', 'flow:f', 'retry:r', 'task:a']);
  });

  it('who inspects the actor system hears of the stages, too', async () => {
    const engine = await loaded(interpreter);
    const events: InspectionEvent[] = [];
    engine.actor.ref.system.inspect((event) => events.push(event));
    await engine.run();
    expect(snapshotsIn(events).filter((each) => each.startsWith('engine:f'))).toEqual(
      STAGES.map((stage) => `engine:f ${stage}`),
    );
  });

  it('an observer that has left hears nothing more', async () => {
    const engine = await loaded(interpreter);
    const events: InspectionEvent[] = [];
    const subscription = engine.inspect((event) => events.push(event));
    subscription.unsubscribe();
    events.length = 0;
    await engine.run();
    expect(events).toEqual([]);
  });

  it('an observer that throws harms neither the run nor the others', async () => {
    const engine = await loaded(interpreter);
    const events: InspectionEvent[] = [];
    engine.inspect(() => {
      throw new Error('of an observer');
    });
    engine.inspect((event) => events.push(event));
    expect(await engine.run()).toBe('SUCCESS');
    expect(snapshotsIn(events)).toContain('task:a SUCCESS');
  });

  it('gives the actor of an atom, with its state and its snapshot', async () => {
    const engine = await loaded(interpreter);
    engine.compile();
    await engine.prepare();
    const actor = engine.actorOf('a');
    const seen: unknown[] = [];
    const subscription = actor.subscribe((snapshot) => seen.push(snapshot.value));
    expect(actor.value).toBe('PENDING');
    await engine.run();
    expect(actor.value).toBe('SUCCESS');
    expect(actor.getSnapshot()).toMatchObject({ value: 'SUCCESS', context: { name: 'a' } });
    expect(seen).toEqual(['RUNNING', 'SUCCESS']);
    subscription.unsubscribe();
    await engine.reset();
    expect(seen).toHaveLength(2);
    expect(() => engine.actorOf('b')).toThrow(NotFoundError);
    expect(engine.flowActor.value).toBe('PENDING');
  });

  it('what an observer of an actor throws does not end the process', async () => {
    const engine = await loaded(interpreter);
    engine.compile();
    await engine.prepare();
    // This is how XState reports what nobody handles: it throws from a timer.
    const rethrown: unknown[] = [];
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void) => {
      try {
        callback();
      } catch (error) {
        rethrown.push(error);
      }
      return 0;
    }) as never);
    const broken = () => {
      throw new Error('of an observer');
    };
    engine.actorOf('a').subscribe(broken);
    engine.flowActor.subscribe({ next: broken });
    expect(await engine.run()).toBe('SUCCESS');
    expect(rethrown).toEqual([]);
  });
});

describe('inspecting nothing', () => {
  it('makes no snapshots and no events', async () => {
    const resolved = [taskMachine, retryMachine, flowMachine].map((machine) => vi.spyOn(machine, 'resolveState'));
    const engine = await loaded('compiled');
    await engine.run();
    await engine.reset();
    await engine.run();
    expect(resolved.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0]);
  });

  it('once the last observer has left, nothing is made any more', async () => {
    const engine = await loaded('compiled');
    const { unsubscribe } = engine.inspect(() => undefined);
    await engine.run();
    unsubscribe();
    await engine.reset();
    await settled();
    const resolved = [taskMachine, retryMachine, flowMachine].map((machine) => vi.spyOn(machine, 'resolveState'));
    await engine.run();
    expect(resolved.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0]);
  });
});
