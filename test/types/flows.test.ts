/* eslint-disable @typescript-eslint/no-unused-vars, @typescript-eslint/no-empty-object-type, @typescript-eslint/no-generated-empty-object-type --
   values are made here for their types, and empty ones are among those */
import { describe, expect, expectTypeOf, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { times } from '../../src/atoms/retries.js';
import type { Retry } from '../../src/atoms/retry.js';
import type { Task } from '../../src/atoms/task.js';
import { typed } from '../../src/atoms/validators.js';
import type { Flow, FlowItem } from '../../src/flows/flow.js';
import type { GivesOf, NeedsOf, StoreOf, StoreOption } from '../../src/flows/flow-types.js';
import { graph, GraphFlow, targeted } from '../../src/flows/graph.js';
import { linear, LinearFlow } from '../../src/flows/linear.js';
import { unordered, UnorderedFlow } from '../../src/flows/unordered.js';

const nothing = () => null;
/** Needs x, gives y. */
const first = task({ name: 'first', requires: { x: typed<string>() }, provides: 'y', execute: ({ x }) => x.length });
/** Needs y and z, gives w. */
const second = task({
  name: 'second',
  requires: { y: typed<number>(), z: typed<boolean>() },
  provides: 'w',
  execute: () => 'w',
});
const untyped: Task = first;

/** What names are there, and of what type. */
type Plain<Type> = { [Key in keyof Type]: Type[Key] };
type Needed<Item extends FlowItem> = Plain<NeedsOf<Item>>;
type Given<Item extends FlowItem> = Plain<GivesOf<Item>>;

describe('a linear flow', () => {
  it('needs nothing and gives nothing at first', () => {
    const flow = linear('f');
    expectTypeOf<keyof NeedsOf<typeof flow>>().toBeNever();
    expectTypeOf<keyof GivesOf<typeof flow>>().toBeNever();
  });

  it('needs what no earlier child gives', () => {
    const flow = linear('f').add(first, second);
    expectTypeOf<Needed<typeof flow>>().toEqualTypeOf<{ readonly x: string; readonly z: boolean }>();
    expectTypeOf<Given<typeof flow>>().toEqualTypeOf<{ readonly y: number; readonly w: string }>();
  });

  it('needs what only a later child gives', () => {
    const flow = linear('f').add(second, first);
    expectTypeOf<keyof NeedsOf<typeof flow>>().toEqualTypeOf<'x' | 'y' | 'z'>();
  });

  it('knows what was added by several calls', () => {
    const flow = linear('f').add(first).add().add(second);
    expectTypeOf<keyof NeedsOf<typeof flow>>().toEqualTypeOf<'x' | 'z'>();
  });

  it('does not need what its retry gives, but what the retry needs', () => {
    const flow = linear('f', { retry: times({ provides: 'z', requires: ['limit'] }) }).add(first, second);
    expectTypeOf<keyof NeedsOf<typeof flow>>().toEqualTypeOf<'x' | 'limit'>();
    expectTypeOf<keyof GivesOf<typeof flow>>().toEqualTypeOf<'y' | 'w' | 'z'>();
  });

  it('gives what the last provider gives', () => {
    const again = task({ name: 'again', provides: 'y', execute: () => 'text' });
    const flow = linear('f').add(first, again);
    expectTypeOf<GivesOf<typeof flow>['y']>().toEqualTypeOf<string>();
  });

  it('is not confused by literal types under the same name', () => {
    const yes = task({ name: 'yes', provides: 'ok', execute: () => true as const });
    const no = task({ name: 'no', provides: 'ok', execute: () => false as const });
    const flow = linear('f').add(yes, no, second);
    expectTypeOf<GivesOf<typeof flow>['ok']>().toEqualTypeOf<false>();
    expectTypeOf<keyof NeedsOf<typeof flow>>().toEqualTypeOf<'y' | 'z'>();
  });
});

describe('an unordered flow', () => {
  it('needs what its children need, whatever their siblings give', () => {
    const flow = unordered('f').add(first, second);
    expectTypeOf<Needed<typeof flow>>().toEqualTypeOf<{
      readonly x: string;
      readonly y: number;
      readonly z: boolean;
    }>();
    expectTypeOf<keyof GivesOf<typeof flow>>().toEqualTypeOf<'y' | 'w'>();
  });

  it('does not need what its retry gives', () => {
    const flow = unordered('f', { retry: times({ provides: ['y'] }) })
      .add(second)
      .add(first);
    expectTypeOf<keyof NeedsOf<typeof flow>>().toEqualTypeOf<'x' | 'z'>();
  });
});

describe('a graph flow', () => {
  it('needs what no child gives, in whatever order they are added', () => {
    const flow = graph('f').add(second, first);
    expectTypeOf<Needed<typeof flow>>().toEqualTypeOf<{ readonly x: string; readonly z: boolean }>();
  });

  it('knows what was added by several calls', () => {
    const flow = graph('f').add(second).add(first).link(first, second);
    expectTypeOf<keyof NeedsOf<typeof flow>>().toEqualTypeOf<'x' | 'z'>();
  });

  it('does not need what its retry gives, but what the retry needs', () => {
    const flow = graph('f', { retry: times({ requires: ['y'], provides: 'z' }) }).add(second);
    expectTypeOf<keyof NeedsOf<typeof flow>>().toEqualTypeOf<'y'>();
  });

  it('takes depths in capital or small letters', () => {
    const decider = () => true;
    graph('f')
      .add(first, second)
      .link(first, second, { decider, depth: 'FLOW' })
      .link(first, second, { decider, depth: 'flow' });
    // @ts-expect-error -- there is no such depth
    expect(() => graph('f').add(first, second).link(first, second, { decider, depth: 'far' })).toThrow(RangeError);
  });

  it('gives deciders a history', () => {
    graph('f')
      .add(first, second)
      .link(first, second, { decider: ({ history }) => expectTypeOf(history['first']).toBeUnknown() });
  });
});

describe('nested flows', () => {
  it('need and give as a whole', () => {
    const inner = linear('g').add(first, second);
    const flow = linear('f').add(task({ name: 'p', provides: 'x', execute: () => 'x' }), inner);
    expectTypeOf<keyof NeedsOf<typeof flow>>().toEqualTypeOf<'z'>();
    expectTypeOf<keyof GivesOf<typeof flow>>().toEqualTypeOf<'x' | 'y' | 'w'>();
  });

  it('nest in any pattern', () => {
    const flow = graph('f').add(unordered('u').add(second), linear('l').add(first));
    expectTypeOf<keyof NeedsOf<typeof flow>>().toEqualTypeOf<'x' | 'z'>();
  });
});

describe('what TypeScript does not know of a flow', () => {
  it('is everything after a child of which nothing is known', () => {
    const flow = linear('f').add(first, untyped).add(second);
    expectTypeOf<NeedsOf<typeof flow>>().toEqualTypeOf<object>();
    expectTypeOf<GivesOf<typeof flow>>().toEqualTypeOf<object>();
    expectTypeOf<StoreOf<typeof flow>>().toEqualTypeOf<Readonly<Record<string, unknown>>>();
  });

  it('is everything with a retry of which nothing is known', () => {
    const retry: Retry = times();
    expectTypeOf<NeedsOf<ReturnType<typeof linear<typeof retry>>>>().toEqualTypeOf<object>();
    expectTypeOf(linear('f', { retry: null }).add(first)).toExtend<Flow>();
  });

  it('is everything after a list was added', () => {
    const items: FlowItem[] = [first];
    for (const flow of [linear('f').add(...items), unordered('f').add(...items), graph('f').add(...items)]) {
      expectTypeOf<NeedsOf<typeof flow>>().toEqualTypeOf<object>();
    }
    for (const flow of [linear('f').addAll(items), unordered('f').addAll(items), graph('f').addAll(items)]) {
      expectTypeOf<NeedsOf<typeof flow>>().toEqualTypeOf<object>();
    }
  });

  it('is everything of a targeted flow', () => {
    const flow = targeted('f').add(first, second).setTarget(first);
    expectTypeOf<NeedsOf<typeof flow>>().toEqualTypeOf<object>();
  });

  it('is everything of flows made with new', () => {
    expectTypeOf<NeedsOf<LinearFlow>>().toEqualTypeOf<object>();
    expectTypeOf(new LinearFlow('f').add(first)).toExtend<LinearFlow>();
    expectTypeOf(new UnorderedFlow('f').add(first)).toExtend<UnorderedFlow>();
    expectTypeOf(new GraphFlow('f').add(first)).toExtend<GraphFlow>();
  });

  it('is what a loop adds, without an error', () => {
    const flow = linear('f');
    for (const each of [first, second]) flow.add(each);
    const store: StoreOf<typeof flow> = { x: 'x', z: true };
    expectTypeOf(store).toExtend<Record<string, unknown>>();
  });
});

describe('any flow', () => {
  it('is a flow, and one of its pattern', () => {
    expectTypeOf(linear('f').add(first, second)).toExtend<Flow>();
    expectTypeOf(linear('f').add(first, second)).toExtend<LinearFlow>();
    expectTypeOf(unordered('f').add(first, second)).toExtend<UnorderedFlow>();
    expectTypeOf(graph('f').add(first, second)).toExtend<GraphFlow>();
    expectTypeOf(targeted('f')).toExtend<FlowItem>();
  });

  it('holds tasks and flows, and no retries', () => {
    // @ts-expect-error -- a retry is no child
    expect(() => linear('f').add(times())).toThrow(TypeError);
    // @ts-expect-error -- a task is no retry
    expect(() => linear('f', { retry: first })).toThrow(TypeError);
  });
});

describe('the store of a flow', () => {
  const flow = linear('f').add(first, second);
  type Store = StoreOf<typeof flow>;

  it('has what the flow needs, and may have more', () => {
    const store: Store = { x: 'x', z: true, more: 5 };
    expectTypeOf(store.x).toBeString();
    expectTypeOf(store.z).toBeBoolean();
  });

  it('must not lack a value', () => {
    // @ts-expect-error -- z is missing
    const store: Store = { x: 'x' };
    expectTypeOf(store).not.toBeAny();
  });

  it('must not have a value of another type', () => {
    // @ts-expect-error -- z is a boolean
    const store: Store = { x: 'x', z: 'yes' };
    expectTypeOf(store).not.toBeAny();
  });

  it('must not lack a value of which the type is not known', () => {
    const plain = linear('g').add(task({ name: 't', requires: ['x'], execute: nothing }));
    // @ts-expect-error -- x is missing
    const store: StoreOf<typeof plain> = {};
    expectTypeOf(store.x).toBeUnknown();
  });

  it('has to suit all who require a value', () => {
    const wide = task({ name: 'wide', requires: { x: typed<string | number>() }, execute: nothing });
    const both = linear('g').add(wide, first);
    expectTypeOf<StoreOf<typeof both>['x']>().toEqualTypeOf<string>();
  });

  it('is one of a task, too', () => {
    expectTypeOf<StoreOf<typeof first>['x']>().toBeString();
    expectTypeOf<StoreOf<Task>>().toEqualTypeOf<Readonly<Record<string, unknown>>>();
  });

  it('is an option only when nothing is needed', () => {
    const self = linear('g').add(task({ name: 't', execute: nothing }));
    expectTypeOf<{}>().toExtend<StoreOption<typeof self>>();
    expectTypeOf<{}>().not.toExtend<StoreOption<typeof flow>>();
    expectTypeOf<{}>().toExtend<StoreOption<Flow>>();
  });
});
