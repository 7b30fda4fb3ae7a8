import type { AnyStateMachine } from 'xstate';
import { CompilationError } from '../errors.js';

/** A named action of a chart, with its fixed parameters. */
export interface ChartAction {
  readonly type: string;
  readonly params: unknown;
}

/** One way out of a state for one event. Ways are tried in order; the first whose guard agrees is taken. */
export interface Branch {
  readonly guard: string | null;
  /** null: the event is accepted and the state stays. */
  readonly target: string | null;
  /** Exit actions, the transition's own, entry actions: in the order in which XState runs them. */
  readonly actions: readonly ChartAction[];
  /** The transition of the machine that this was made from. */
  readonly definition: object;
}

export interface ChartState {
  readonly value: string;
  readonly final: boolean;
  readonly branches: ReadonlyMap<string, readonly Branch[]>;
}

/** A flat statechart as a table. */
export interface Chart {
  readonly machine: AnyStateMachine;
  readonly initial: string;
  readonly states: ReadonlyMap<string, ChartState>;
}

type Node = AnyStateMachine['root'];
type Definition = Node['transitions'] extends Map<string, (infer Each)[]> ? Each : never;

function refuse(machine: AnyStateMachine, what: string): never {
  throw new CompilationError(`The chart ${machine.id} cannot be compiled: ${what}`);
}

function actionsOf(machine: AnyStateMachine, where: string, actions: readonly unknown[]): ChartAction[] {
  return actions.map((action) => {
    if (typeof action === 'string') return { type: action, params: undefined };
    if (typeof action === 'object' && action !== null && 'type' in action && typeof action.type === 'string') {
      const params = 'params' in action ? action.params : undefined;
      if (typeof params === 'function') refuse(machine, `${where} has an action whose params are a function`);
      return { type: action.type, params };
    }
    return refuse(machine, `${where} has an action that is not named`);
  });
}

function guardOf(machine: AnyStateMachine, where: string, guard: unknown): string | null {
  if (guard === undefined) return null;
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard && typeof guard.type === 'string') {
    if ('params' in guard && guard.params !== undefined) refuse(machine, `${where} has a guard with params`);
    return guard.type;
  }
  return refuse(machine, `${where} has a guard that is not named`);
}

function branchOf(machine: AnyStateMachine, source: Node, definition: Definition): Branch {
  const where = `${source.key} on ${definition.eventType}`;
  const targets: readonly Node[] = definition.target ?? [];
  if (targets.length > 1) refuse(machine, `${where} has several targets`);
  const target = targets[0];
  if (target !== undefined && target.parent !== machine.root) refuse(machine, `${where} leads out of the chart`);
  const own = actionsOf(machine, where, definition.actions);
  const staysInside = target === undefined || (target === source && !definition.reenter);
  return {
    guard: guardOf(machine, where, definition.guard),
    target: target?.key ?? null,
    actions: staysInside
      ? own
      : [
          ...actionsOf(machine, `exit of ${source.key}`, source.exit),
          ...own,
          ...actionsOf(machine, `entry of ${target.key}`, target.entry),
        ],
    definition,
  };
}

function stateOf(machine: AnyStateMachine, node: Node): ChartState {
  if (node.type !== 'atomic' && node.type !== 'final') refuse(machine, `${node.key} is a ${node.type} state`);
  if (node.invoke.length > 0) refuse(machine, `${node.key} invokes an actor`);
  if (node.always !== undefined && node.always.length > 0) refuse(machine, `${node.key} has eventless transitions`);
  if (node.after.length > 0) refuse(machine, `${node.key} has delayed transitions`);
  const branches = new Map<string, readonly Branch[]>();
  for (const [event, definitions] of node.transitions) {
    if (event.includes('*')) refuse(machine, `${node.key} hears the wildcard ${event}`);
    branches.set(
      event,
      definitions.map((definition) => branchOf(machine, node, definition)),
    );
  }
  return { value: node.key, final: node.type === 'final', branches };
}

/**
 * Reads a machine once and makes a table of it.
 *
 * Supported are flat charts with named guards and named actions with fixed parameters. Anything else is refused
 * rather than half supported.
 *
 * @throws {CompilationError} naming the chart, the state and what is not supported.
 */
export function compileChart(machine: AnyStateMachine): Chart {
  const root: Node = machine.root;
  if (root.type !== 'compound') refuse(machine, `its root is a ${root.type} state`);
  if (root.transitions.size > 0) refuse(machine, 'its root has transitions');
  if (root.entry.length > 0 || root.exit.length > 0) refuse(machine, 'its root has entry or exit actions');
  if (root.invoke.length > 0) refuse(machine, 'its root invokes an actor');
  const nodes: readonly Node[] = Object.values(root.states);
  const initial: readonly Node[] = root.initial.target;
  const [first] = initial;
  if (first === undefined || initial.length > 1 || root.initial.actions.length > 0) {
    refuse(machine, 'it has no plain initial state');
  }
  return {
    machine,
    initial: first.key,
    states: new Map(nodes.map((node) => [node.key, stateOf(machine, node)])),
  };
}

/** One pair of states of a chart, and the event that leads from the first to the second. */
export interface TransitionPair {
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

/** All changes of state that a chart allows. Events that leave the state as it is are not among them. */
export function transitionsOf(chart: Chart): TransitionPair[] {
  return [...chart.states.values()].flatMap((state) =>
    [...state.branches].flatMap(([event, branches]) =>
      branches.flatMap(({ target }) =>
        target === null || target === state.value ? [] : [{ from: state.value, event, to: target }],
      ),
    ),
  );
}

/** Events that a state accepts and ignores: no change, no action. */
export function ignoredEventsOf(chart: Chart): { from: string; event: string }[] {
  return [...chart.states.values()].flatMap((state) =>
    [...state.branches].flatMap(([event, branches]) =>
      branches.every(({ target, actions }) => target === null && actions.length === 0)
        ? [{ from: state.value, event }]
        : [],
    ),
  );
}
