import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { times } from '../../src/atoms/retries.js';
import { compile } from '../../src/compiler/compile.js';
import type { PlanChanges } from '../../src/compiler/plan-changes.js';
import { comparePlans } from '../../src/compiler/plan-changes.js';
import { planOf } from '../../src/compiler/plan.js';
import { readPlan } from '../../src/compiler/read-plan.js';
import { InvalidFormatError } from '../../src/errors.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph, targeted } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import type { Task } from '../../src/atoms/task.js';
import { atomsIn, flowModels, flowOf, flowsIn, tasksIn } from './plan-models.js';
import type { FlowModel, TaskModel } from './plan-models.js';

const plan = (root: Flow | Task) => planOf(compile(root));
const t = (name: string, options: { requires?: string[]; provides?: string; version?: string } = {}) =>
  task({ ...options, name, execute: () => null });

const yes = () => true;

function changes(before: Flow | Task, after: Flow | Task): PlanChanges {
  return comparePlans(readPlan(plan(before).text), readPlan(plan(after).text));
}

type Lists = Record<Exclude<keyof PlanChanges, 'flow'>, string[]>;

/** The names in each list, sorted. */
function namesOf({ flow: _, ...lists }: PlanChanges): Lists {
  return Object.fromEntries(
    Object.entries(lists).map(([list, atoms]) => [list, atoms.map(({ name }) => name).sort()]),
  ) as Lists;
}

const NOTHING = { added: [], removed: [], moved: [], rewired: [], reversioned: [] };

describe('the plan of a flow', () => {
  it('has the same fingerprint whatever the order in which things without an order were added', () => {
    fc.assert(
      fc.property(flowModels, (model) => {
        expect(plan(flowOf(model, { turned: true }))).toEqual(plan(flowOf(model)));
      }),
    );
  });

  it('can be read back, with everything that two flows can differ in', () => {
    const reserve = task({
      name: 'reserve',
      version: '2.1',
      requires: ['flight'],
      optional: ['row'],
      rebind: { flight: 'number' },
      revertRequires: ['seat'],
      provides: ['seat', 'price'],
      inject: { row: 3 },
      execute: () => null,
    });
    const pay = t('pay');
    const trip = graph('trip', { retry: times({ attempts: 3 }) }).add(reserve, pay);
    trip.link(reserve, pay, { decider: () => true, depth: 'FLOW' });
    expect(readPlan(plan(trip).text)).toEqual([
      { kind: 'flow', name: 'trip', parent: -1, pattern: 'graph', links: [] },
      {
        ...{ kind: 'retry', name: 'trip_retry', parent: 0, version: '1.0', takes: [], takesToRevert: [] },
        ...{ provides: [], injects: [], links: [] },
      },
      {
        ...{ kind: 'task', name: 'pay', parent: 0, version: '1.0', takes: [], takesToRevert: [] },
        ...{ provides: [], injects: [], links: [{ from: 3, depth: 'FLOW' }] },
      },
      {
        ...{ kind: 'task', name: 'reserve', parent: 0, version: '2.1', injects: ['row'], links: [] },
        takes: [['flight', 'number'], 'row'],
        takesToRevert: [['flight', 'number'], 'row', 'seat'],
        provides: [
          ['price', 1],
          ['seat', 0],
        ],
      },
    ]);
  });

  it('can be read in the form in which 0.1.0 wrote it', () => {
    const flow = graph('trip').add(
      t('a', { provides: 'x' }),
      t('b', { requires: ['x'], version: '2.0' }),
      task({ name: 'c', requires: ['y'], rebind: { y: 'z' }, inject: { z: 1 }, execute: () => null }),
    );
    const first =
      '{"format":1,"parts":[[0,"trip",-1,2],[1,"a",0,0,[],0,["x"]],[1,"b",0,"2.0",["x"]],[1,"c",0,0,[["y","z"]],0,[],["z"]]]}';
    expect(readPlan(first)).toEqual(readPlan(plan(flow).text));
  });

  it('is the same whether nothing is injected or nobody says so', () => {
    const made = (inject?: object) =>
      task({ name: 'a', ...(inject && { inject: { ...inject } }), execute: () => null });
    expect(plan(made({}))).toEqual(plan(made()));
  });

  it('tells a revert that takes nothing from one that takes the same', () => {
    const made = (revert: object) =>
      task({ name: 'a', signature: { execute: { required: ['x'] }, revert }, execute: () => null });
    const [same, nothing] = [made({ required: ['x'] }), made({})].map((each) => readPlan(plan(each).text)[0]);
    expect(same).toMatchObject({ takes: ['x'], takesToRevert: ['x'] });
    expect(nothing).toMatchObject({ takes: ['x'], takesToRevert: [] });
  });

  it('stays small, and is made in one go, for twenty thousand atoms', () => {
    const flow = linear('long').addAll(
      Array.from({ length: 20_000 }, (_, i) => t(`t${i}`, { requires: [`s${i}`], provides: `s${i + 1}` })),
    );
    const { text } = plan(flow);
    expect(text.length).toBeLessThan(50 * 20_000);
    const longer = linear('long').addAll([...flow, t('last')]);
    expect(namesOf(changes(linear('long').addAll([...flow]), longer)).added).toEqual(['last']);
  });

  it.each([
    ['not JSON', '{'],
    ['something else', '{}'],
    ['a form that is not known', '{"format":3,"parts":[]}'],
    ['a part of the first form of no kind', '{"format":1,"parts":[[7,"a",-1]]}'],
    ['a part of the first form in no flow', '{"format":1,"parts":[[0,"f",-1],[1,"a",5]]}'],
    ['a link of the first form that is none', '{"format":1,"parts":[[0,"f",-1,2,["x"]]]}'],
    ['a name of the first form that is none', '{"format":1,"parts":[[1,"a",-1,0,[{}]]]}'],
    ['nothing', '[]'],
    ['another format', '[1]'],
    ['a part of no kind', '[2,7,"a",-1]'],
    ['a part in no flow', '[2,0,"f",-1,0,0,1,"a",5,0,0,-1,0,0]'],
    ['a part in a task', '[2,1,"a",-1,0,0,-1,0,0,1,"b",0,0,0,-1,0,0]'],
    ['a pattern that is none', '[2,0,"f",-1,3,0]'],
    ['a link that is none', '[2,0,"f",-1,2,1,"x",0]'],
    ['a name that is none', '[2,1,"a",-1,0,1,{},0,-1,0,0]'],
    ['a list without an end', '[2,1,"a",-1,0,1000000000,"x",0]'],
    ['a list that is too long', '[2,1,"a",-1,0,5,"x",0,-1,0,0]'],
    ['a list of less than nothing', '[2,0,"f",-1,0,-2]'],
    ['a mark that is none', '[2,1,"a",-1,0,0,-1,0,2]'],
  ])('refuses %s', (_, text) => {
    expect(() => readPlan(text)).toThrow(InvalidFormatError);
  });
});

describe('two plans', () => {
  const trip = () => linear('trip').add(t('a'), t('b'), t('c'), t('d'));

  it('of the same flow have all atoms kept', () => {
    expect(changes(trip(), trip())).toMatchObject({ ...NOTHING, flow: { from: 'trip', to: 'trip' } });
    expect(namesOf(changes(trip(), trip())).kept).toEqual(['a', 'b', 'c', 'd']);
  });

  it('of flows with other names say so', () => {
    const after = changes(trip(), linear('journey').add(t('a'), t('b'), t('c'), t('d')));
    expect(after).toMatchObject({ ...NOTHING, flow: { from: 'trip', to: 'journey' } });
  });

  it('tell an atom that was put between two others from one that changed its place', () => {
    const put = changes(trip(), linear('trip').add(t('a'), t('x'), t('b'), t('c'), t('d')));
    expect(namesOf(put)).toEqual({ ...NOTHING, kept: ['a', 'b', 'c', 'd'], added: ['x'] });
    const moved = changes(trip(), linear('trip').add(t('b'), t('c'), t('d'), t('a')));
    expect(namesOf(moved)).toEqual({ ...NOTHING, kept: ['b', 'c', 'd'], moved: ['a'] });
    expect(moved.moved[0]?.what).toBe('a stands at another place in trip');
  });

  it('say from where and to where an atom was moved', () => {
    const after = linear('trip').add(t('a'), unordered('paying').add(t('b')), t('c'), t('d'));
    expect(changes(trip(), after).moved).toEqual([{ name: 'b', kind: 'task', what: 'was in trip, is in trip/paying' }]);
  });

  it('list all atoms of a flow that was renamed, and its retry', () => {
    const before = linear('trip').add(linear('in', { retry: times() }).add(t('a'), t('b')), t('c'));
    const after = linear('trip').add(linear('out', { retry: times() }).add(t('a'), t('b')), t('c'));
    expect(namesOf(changes(before, after))).toEqual({
      ...{ kept: ['c'], added: ['out_retry'], removed: ['in_retry'], moved: ['a', 'b'], rewired: [], reversioned: [] },
    });
  });

  it('list all atoms of a flow whose pattern is another, and no others', () => {
    const before = linear('trip').add(linear('in').add(t('a'), linear('deep').add(t('b'))), t('c'));
    const after = linear('trip').add(unordered('in').add(t('a'), linear('deep').add(t('b'))), t('c'));
    const found = changes(before, after);
    expect(namesOf(found)).toEqual({ ...NOTHING, kept: ['c'], rewired: ['a', 'b'] });
    expect(found.rewired[0]?.what).toBe('in is unordered now, and was linear');
  });

  it('say what an atom takes and provides now', () => {
    const before = linear('trip').add(t('a', { provides: 'x' }), t('b', { requires: ['x'] }));
    const after = linear('trip').add(
      t('a', { provides: 'y' }),
      task({ name: 'b', requires: ['x'], rebind: { x: 'y' }, execute: () => null }),
    );
    expect(changes(before, after).rewired.map(({ what }) => what)).toEqual([
      'provides [y], was [x]',
      'takes [x: y], was [x], takes to be reverted [x: y], was [x]',
    ]);
  });

  it.each([
    ['a link more', null, {}, 'has a link from a now'],
    ['a link less', {}, null, 'has no link from a any more'],
    ['a decider', {}, { decider: yes }, 'its link from a has a decider of depth ALL now'],
    ['no decider', { decider: yes }, {}, 'its link from a has no decider any more'],
    [
      'another depth',
      { decider: yes },
      { decider: yes, depth: 'ATOM' as const },
      'its link from a has a decider of depth ATOM now, and had ALL',
    ],
  ])('find %s', (_, before, after, what) => {
    const made = (link: object | null) => {
      const [a, b] = [t('a'), linear('inner').add(t('b'))];
      const flow = graph('g').add(a, b);
      return link === null ? flow : flow.link(a, b, link);
    };
    expect(changes(made(before), made(after))).toMatchObject({ ...NOTHING, rewired: [{ name: 'b', what }] });
  });

  it('see what does not take part in a targeted flow as removed', () => {
    const made = (target: 'a' | 'b') => {
      const items = { a: t('a'), b: t('b') };
      return targeted('g').add(items.a, items.b).link(items.a, items.b).setTarget(items[target]);
    };
    expect(namesOf(changes(made('b'), made('a')))).toEqual({ ...NOTHING, kept: ['a'], removed: ['b'] });
  });

  it('see an atom of another kind as removed and added', () => {
    const before = linear('trip').add(linear('in', { retry: times({ name: 'x' }) }).add(t('a')));
    const after = linear('trip').add(linear('in').add(t('a'), t('x')));
    expect(changes(before, after)).toMatchObject({
      added: [{ name: 'x', kind: 'task' }],
      removed: [{ name: 'x', kind: 'retry' }],
    });
  });

  it('know a flow among others of its name by an atom that it had', () => {
    const twin = (...names: string[]) => linear('twin').add(...names.map((name) => t(name)));
    const before = linear('f').add(twin('a', 'b'), twin('c', 'd'), twin());
    const after = linear('f').add(twin('c', 'd'), twin('e'));
    expect(namesOf(changes(before, after))).toEqual({
      ...NOTHING,
      kept: ['c', 'd'],
      added: ['e'],
      removed: ['a', 'b'],
    });
    const swapped = changes(linear('f').add(twin('a'), twin('b')), linear('f').add(twin('b'), twin('a')));
    expect(swapped.moved).toHaveLength(1);
    const gone = changes(linear('f').add(twin('a', 'c'), twin('b')), linear('f').add(twin('a'), twin('b', 'c')));
    expect(gone.moved).toEqual([{ name: 'c', kind: 'task', what: 'is in another flow named f/twin' }]);
  });

  it('of a single task compare it, and know it from a flow', () => {
    expect(namesOf(changes(t('a'), t('a', { version: '2.0' })))).toEqual({ ...NOTHING, kept: [], reversioned: ['a'] });
    expect(namesOf(changes(t('a'), linear('f').add(t('a')))).moved).toEqual(['a']);
  });
});

describe('any edit of any flow', () => {
  /** Changes the model, and says what has to be found; null where this edit cannot be made. */
  type Edit = (model: FlowModel, pick: <Item>(items: readonly Item[]) => Item | undefined) => Partial<Lists> | null;

  const edits: Record<string, Edit> = {
    'nothing at all': () => ({}),
    'a new task': (model, pick) => {
      const flow = pick([...flowsIn(model)]);
      const at = pick([...(flow?.children.keys() ?? []), flow?.children.length ?? 0]);
      const added: TaskModel = { kind: 'task', name: 'new', version: '1.0', requires: ['in1'], provides: [] };
      flow?.children.splice(at ?? 0, 0, added);
      return { added: ['new'] };
    },
    'a task less': (model, pick) => {
      const found = pick(tasksIn(model));
      if (found === undefined) return null;
      takeOut(found.flow, found.task);
      return { removed: [found.task.name] };
    },
    'a task in another flow': (model, pick) => {
      const found = pick(tasksIn(model));
      const to = pick([...flowsIn(model)].filter((flow) => flow !== found?.flow && flow.name !== 'twin'));
      // An empty flow among others of its name is known by nothing.
      if (found === undefined || to === undefined || found.flow.name === 'twin') return null;
      takeOut(found.flow, found.task);
      to.children.push(found.task);
      return { moved: [found.task.name] };
    },
    'another order': (model, pick) => {
      const flow = pick(
        [...flowsIn(model)].filter(({ pattern, children }) => pattern === 'linear' && children.length > 2),
      );
      // Who of two neighbours changed places with the other, nobody can say.
      const [first] = flow?.children ?? [];
      if (flow === undefined || first === undefined || flow.children.some(({ name }) => name === 'twin')) return null;
      flow.children.shift();
      flow.children.push(first);
      return { moved: atomsIn(first) };
    },
    'another argument': (model, pick) => {
      const found = pick(tasksIn(model));
      found?.task.requires.push('in4');
      return found === undefined ? null : { rewired: [found.task.name] };
    },
    'another result': (model, pick) => {
      const found = pick(tasksIn(model));
      found?.task.provides.push('out4');
      return found === undefined ? null : { rewired: [found.task.name] };
    },
    'another version': (model, pick) => {
      const found = pick(tasksIn(model));
      if (found === undefined) return null;
      found.task.version = '1.1';
      return { reversioned: [found.task.name] };
    },
    'a link less': (model, pick) => {
      const flow = pick([...flowsIn(model)].filter(({ links }) => links.length > 0));
      const link = pick(flow?.links ?? []);
      if (flow === undefined || link === undefined) return null;
      flow.links.splice(flow.links.indexOf(link), 1);
      return { rewired: atomsIn(childNamed(flow, link.to)) };
    },
    'a link with another decider': (model, pick) => {
      const flow = pick([...flowsIn(model)].filter(({ links }) => links.length > 0));
      const link = pick(flow?.links ?? []);
      if (flow === undefined || link === undefined) return null;
      link.depth = link.depth === null ? 'FLOW' : null;
      return { rewired: atomsIn(childNamed(flow, link.to)) };
    },
  };

  function takeOut(flow: FlowModel, child: TaskModel): void {
    flow.children.splice(flow.children.indexOf(child), 1);
    const left = flow.links.filter(({ from, to }) => from !== child.name && to !== child.name);
    flow.links.splice(0, flow.links.length, ...left);
  }

  function childNamed(flow: FlowModel, name: string): TaskModel | FlowModel {
    const child = flow.children.find((each) => each.name === name);
    if (child === undefined) throw new Error(`there is no ${name}`);
    return child;
  }

  it.each(Object.entries(edits))('is found, and nothing else: %s', (name, edit) => {
    let made = 0;
    fc.assert(
      fc.property(flowModels, fc.infiniteStream(fc.nat(10_000)), (model, numbers) => {
        const before = plan(flowOf(model));
        const all = atomsIn(model);
        const edited = structuredClone(model);
        const expected = edit(edited, (items) => items[Number(numbers.next().value) % items.length]);
        if (expected === null) return;
        const after = plan(flowOf(edited));
        const found = namesOf(comparePlans(readPlan(before.text), readPlan(after.text)));
        const gone = new Set(Object.values(expected).flat());
        const sorted = Object.fromEntries(Object.entries(expected).map(([list, names]) => [list, names.toSorted()]));
        expect(found).toEqual({ ...NOTHING, ...sorted, kept: all.filter((atom) => !gone.has(atom)).sort() });
        const isSame = Object.values(expected).flat().length === 0;
        if (isSame && name === 'nothing at all') expect(after.fingerprint).toBe(before.fingerprint);
        else if (!isSame) expect(after.fingerprint).not.toBe(before.fingerprint);
        made += 1;
      }),
      { numRuns: 300 },
    );
    expect(made).toBeGreaterThan(30);
  });
});
