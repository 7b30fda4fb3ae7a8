import fc from 'fast-check';
import { task } from '../../src/atoms/function-task.js';
import { times } from '../../src/atoms/retries.js';
import type { Task } from '../../src/atoms/task.js';
import type { Depth } from '../../src/flows/depth.js';
import { DEPTHS } from '../../src/flows/depth.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';

/** A task as plain data. */
export interface TaskModel {
  readonly kind: 'task';
  readonly name: string;
  version: string;
  requires: string[];
  provides: string[];
}

export interface LinkModel {
  readonly from: string;
  readonly to: string;
  depth: Depth | null;
}

/** A flow as plain data, to be edited and made as often as one likes. */
export interface FlowModel {
  readonly kind: 'flow';
  readonly name: string;
  readonly pattern: 'linear' | 'unordered' | 'graph';
  readonly hasRetry: boolean;
  readonly children: (TaskModel | FlowModel)[];
  /** Of a graph, between children, the first to the second of them. */
  readonly links: LinkModel[];
}

type Seed = Omit<TaskModel, 'name'> | (Omit<FlowModel, 'name' | 'links' | 'children'> & { readonly children: Seed[] });

const symbols = (prefix: string) => fc.subarray([`${prefix}1`, `${prefix}2`, `${prefix}3`]);

const { tree } = fc.letrec<{ tree: Seed; child: Seed; leaf: Seed }>((tie) => ({
  leaf: fc.record({
    kind: fc.constant('task' as const),
    version: fc.constantFrom('1.0', '1.2', '3'),
    requires: symbols('in'),
    provides: symbols('out'),
  }),
  child: fc.oneof({ maxDepth: 3, depthSize: 'small' }, tie('leaf'), tie('tree')),
  tree: fc.record({
    kind: fc.constant('flow' as const),
    pattern: fc.constantFrom('linear' as const, 'unordered' as const, 'graph' as const),
    hasRetry: fc.boolean(),
    children: fc.array(tie('child'), { maxLength: 5 }),
  }),
}));

/**
 * Flows of any shape in which every task has a name of its own, some flows share theirs, and nobody provides what
 * another requires.
 */
export const flowModels: fc.Arbitrary<FlowModel> = fc
  .tuple(tree, fc.infiniteStream(fc.nat(1000)))
  .map(([seed, numbers]) => {
    let tasks = 0;
    let flows = 0;
    const next = () => Number(numbers.next().value);
    const named = (each: Seed, path: string): TaskModel | FlowModel => {
      if (each.kind === 'task') {
        const name = `t${(tasks += 1)}`;
        return { ...each, name, provides: each.provides.map((symbol) => `${symbol}-${name}`) };
      }
      // Without a retry, which is named after its flow, two flows may have one name.
      const name = each.hasRetry || next() % 3 > 0 ? `f${(flows += 1)}` : 'twin';
      const children = each.children.map((child) => named(child, `${path}/${name}`));
      const links: LinkModel[] = [];
      if (each.pattern === 'graph') {
        for (const [at, to] of children.entries()) {
          const from = children[next() % (at + 1)];
          if (from === undefined || from === to || next() % 2 === 0) continue;
          if (from.name === 'twin' || to.name === 'twin') continue;
          links.push({ from: from.name, to: to.name, depth: [null, ...DEPTHS][next() % 5] ?? null });
        }
      }
      return { ...each, name, children, links };
    };
    const root = named(seed, '');
    if (root.kind === 'task') throw new Error('the root is a flow');
    return root;
  });

/** Makes the flow of a model. @param turned - Add the children of flows without an order from the last to the first. */
export function flowOf(model: FlowModel, { turned = false } = {}): Flow {
  const { name, pattern, hasRetry } = model;
  const options = hasRetry ? { retry: times({ attempts: 2 }) } : {};
  const items = new Map<string, Flow | Task>();
  const made = model.children.map((child) => {
    const item = child.kind === 'task' ? taskOf(child, turned) : flowOf(child, { turned });
    items.set(child.name, item);
    return item;
  });
  if (pattern === 'linear') return linear(name, options).addAll(made);
  if (turned) made.reverse();
  if (pattern === 'unordered') return unordered(name, options).addAll(made);
  const flow = graph(name, options).addAll(made);
  for (const { from, to, depth } of turned ? model.links.toReversed() : model.links) {
    const [source, target] = [items.get(from), items.get(to)];
    if (source === undefined || target === undefined) throw new Error(`${from} or ${to} is not there`);
    flow.link(source, target, depth === null ? {} : { decider: () => true, depth });
  }
  return flow;
}

function taskOf({ name, version, requires, provides }: TaskModel, turned: boolean): Task {
  const ordered = (names: readonly string[]) => (turned ? names.toReversed() : names);
  return task({
    name,
    version,
    requires: ordered(requires),
    provides: { keys: ordered(provides) },
    execute: () => null,
  });
}

export function* flowsIn(model: FlowModel): Generator<FlowModel> {
  yield model;
  for (const child of model.children) if (child.kind === 'flow') yield* flowsIn(child);
}

/** The names of all atoms in a part of a model. */
export function atomsIn(model: TaskModel | FlowModel): string[] {
  if (model.kind === 'task') return [model.name];
  return [...(model.hasRetry ? [`${model.name}_retry`] : []), ...model.children.flatMap(atomsIn)];
}

export function tasksIn(model: FlowModel): { readonly flow: FlowModel; readonly task: TaskModel }[] {
  return [...flowsIn(model)].flatMap((flow) =>
    flow.children.filter((child) => child.kind === 'task').map((each) => ({ flow, task: each })),
  );
}
