import { task } from '../../src/atoms/function-task.js';
import { AlwaysRevert, AlwaysRevertAll, ForEach, ParameterizedForEach, Times } from '../../src/atoms/retries.js';
import { Retry, type RetryDecision, type RetryInput, type RetryOptions } from '../../src/atoms/retry.js';
import type { AtomContext, Task } from '../../src/atoms/task.js';
import { translateDepth } from '../../src/flows/depth.js';
import type { Flow, FlowItem } from '../../src/flows/flow.js';
import { graph, type GraphFlow, targeted, type TargetedFlow } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import type { CaseNode, DeciderSpec, FlowNode, LinkSpec, RetryNode, TaskNode } from './case.js';

type Arguments = Readonly<Record<string, unknown>>;

/** What the atoms and deciders of a case do when they are called. */
export interface Behaviours {
  /** Makes a task that does it all by itself, elsewhere. */
  makeTask?(node: TaskNode): Task;
  execute(name: string, kind: 'task' | 'retry', args: Arguments, context: unknown): unknown;
  revert(name: string, kind: 'task' | 'retry', args: Arguments, context: unknown): unknown;
  /** @param answer - What a retry that is not scripted answers; it is to be given back. */
  /** @param standard - What a retry that comes with flowstate says; undefined for one that is scripted. */
  onFailure(name: string, args: Arguments, standard?: () => RetryDecision): string;
  decide(link: { readonly from: string; readonly to: string }, history: Arguments, spec: DeciderSpec): boolean;
}

export interface BuiltFlow {
  readonly root: Flow | Task;
  /** Every task of the case, by name. */
  readonly tasks: ReadonlyMap<string, Task>;
}

/** Makes the flow that a case describes. Throws what making it throws. */
export function buildFlow(node: CaseNode, behaviours: Behaviours): BuiltFlow {
  const builder = new FlowBuilder(behaviours);
  return { root: builder.build(node), tasks: builder.tasks };
}

class FlowBuilder {
  readonly tasks = new Map<string, Task>();

  constructor(private readonly behaviours: Behaviours) {}

  build(node: CaseNode): FlowItem {
    if (node.type === 'task') return this.buildTask(node);
    if (node.type === 'flow') return this.buildFlow(node);
    const found = this.tasks.get(node.ref.replace(/^task:/, ''));
    if (found === undefined) throw new Error(`The case refers to ${node.ref} before it is there`);
    return found;
  }

  private buildTask(node: TaskNode): Task {
    const { name } = node;
    const built = this.behaviours.makeTask?.(node) ?? this.makeTask(node);
    this.tasks.set(name, built);
    return built;
  }

  private makeTask(node: TaskNode): Task {
    const { name } = node;
    return task({
      ...taskOptionsOf(node),
      execute: (args, context) => this.behaviours.execute(name, 'task', withDefaults(args, node.optionalArgs), context),
      revert: (args, context) =>
        this.behaviours.revert(name, 'task', withDefaults(args, node.revertOptionalArgs), context),
    });
  }

  private buildFlow(node: FlowNode): Flow {
    const { name, pattern } = node;
    const retry = node.retry === undefined ? null : buildRetry(node.retry, this.behaviours);
    if (pattern === 'linear') return linear(name, { retry }).addAll(this.buildChildren(node).values());
    if (pattern === 'unordered') return unordered(name, { retry }).addAll(this.buildChildren(node).values());
    const flow = pattern === 'graph' ? graph(name, { retry }) : targeted(name, { retry });
    const children = this.buildChildren(node);
    this.addInBatches(flow, node, children);
    for (const link of node.links ?? []) this.link(flow, link, childNamed(node, children));
    if (flow.pattern === 'targeted' && node.target !== undefined) {
      flow.setTarget(childNamed(node, children)(node.target));
    }
    return flow;
  }

  private buildChildren(node: FlowNode): ReadonlyMap<CaseNode, FlowItem> {
    return new Map(node.children.map((child) => [child, this.build(child)]));
  }

  private addInBatches(
    flow: GraphFlow | TargetedFlow,
    node: FlowNode,
    children: ReadonlyMap<CaseNode, FlowItem>,
  ): void {
    let batch: FlowItem[] = [];
    let flags = {};
    for (const [child, item] of children) {
      const own = flagsOf(child);
      if (batch.length > 0 && (node.addSeparately === true || JSON.stringify(own) !== JSON.stringify(flags))) {
        flow.addAll(batch, flags);
        batch = [];
      }
      batch.push(item);
      flags = own;
    }
    flow.addAll(batch, flags);
  }

  private link(
    flow: GraphFlow | TargetedFlow,
    { from, to, decider, deciderDepth }: LinkSpec,
    child: (name: string) => FlowItem,
  ): void {
    const decide =
      decider &&
      (({ history }: { readonly history: Arguments }) => this.behaviours.decide({ from, to }, history, decider));
    const depth = deciderDepth === undefined ? undefined : translateDepth(deciderDepth);
    flow.link(child(from), child(to), { decider: decide, depth });
  }
}

/** What a task of a case is, apart from what it does. */
export function taskOptionsOf(node: TaskNode) {
  return {
    name: node.name,
    requires: node.requires,
    rebind: node.rebind,
    inject: node.inject,
    provides: node.provides,
    revertRequires: node.revertRequires,
    revertRebind: node.revertRebind,
    autoExtract: node.autoExtract,
    priority: node.priority,
    signature: {
      execute: {
        required: node.args ?? [],
        optional: Object.keys(node.optionalArgs ?? {}),
        rest: node.acceptsExtra ?? node.requires !== undefined,
      },
      revert: {
        // What a revert is given in any case has another name here.
        required: (node.revertArgs ?? []).map((name) => (name === 'flow_failures' ? 'flowFailures' : name)),
        optional: Object.keys(node.revertOptionalArgs ?? {}),
        rest: true,
      },
    },
  };
}

function flagsOf(child: CaseNode): { resolveRequires: boolean; resolveExisting: boolean } {
  if (child.type === 'ref') return { resolveRequires: true, resolveExisting: true };
  return { resolveRequires: child.resolveRequires ?? true, resolveExisting: child.resolveExisting ?? true };
}

/** Finds children by name. A name that none has stands for an object that is not in the flow. */
function childNamed(node: FlowNode, children: ReadonlyMap<CaseNode, FlowItem>): (name: string) => FlowItem {
  return (name) => {
    const found = node.children.find((child) => child.type !== 'ref' && child.name === name);
    return (found && children.get(found)) ?? task({ name, execute: () => null });
  };
}

function withDefaults(args: object, defaults: Arguments | undefined): Arguments {
  return Object.fromEntries(Object.entries({ ...defaults, ...args }));
}

function buildRetry(node: RetryNode, behaviours: Behaviours): Retry {
  const { name, provides, requires, rebind, priority } = node;
  const signature = { execute: { required: node.kind === 'ParameterizedForEach' ? ['values'] : [], rest: true } };
  return new ToldRetry({ name, provides, requires, rebind, priority, signature }, standardRetry(node), behaviours);
}

/** What answers in place of a script. */
function standardRetry({ kind, attempts = 1, values = [], revertAll = false }: RetryNode): Retry | null {
  switch (kind) {
    case 'AlwaysRevert':
      return new AlwaysRevert();
    case 'AlwaysRevertAll':
      return new AlwaysRevertAll();
    case 'Times':
      return new Times({ attempts, revertAll });
    case 'ForEach':
      return new ForEach({ values, revertAll });
    case 'ParameterizedForEach':
      return new ParameterizedForEach({ revertAll });
    case 'Scripted':
      return null;
  }
}

/** Tells of each call, and does what a standard retry does, or else what the case says. */
class ToldRetry extends Retry {
  constructor(
    options: RetryOptions,
    private readonly standard: Retry | null,
    private readonly behaviours: Behaviours,
  ) {
    super(options);
  }

  override execute(args: RetryInput, context: AtomContext): unknown {
    const scripted = this.behaviours.execute(this.name, 'retry', { ...args }, context);
    if (this.standard === null || scripted instanceof Promise) return scripted;
    return this.standard.execute(args, context);
  }

  override revert(args: object, context: AtomContext): unknown {
    return this.behaviours.revert(this.name, 'retry', { ...args }, context);
  }

  override onFailure(args: RetryInput): RetryDecision {
    const { standard } = this;
    // Some scripts answer with a word that is no decision: the engine has to see it.
    return this.behaviours.onFailure(
      this.name,
      { ...args },
      standard === null ? undefined : () => standard.onFailure(args),
    ) as RetryDecision;
  }
}
