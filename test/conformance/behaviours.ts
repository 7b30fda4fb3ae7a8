import type { Behaviours } from './build-flow.js';
import type { CallCounts } from './call-counts.js';
import type { Behaviour, CaseNode, DeciderSpec, RetryNode, TaskNode } from './case.js';
import { encodeArguments } from './encode.js';
import { makeError } from './error-kinds.js';
import { isObject, member, sameJson } from './json.js';

/** The process in which the behaviours of one engine run: it can die. */
export interface Stage {
  readonly isDead: boolean;
  /** Puts an entry in the trace. */
  trace(entry: unknown): void;
  /** Asks the engine to suspend. */
  suspend(): void;
  /** Called before the result of a call is given; what it gives is waited for. Lets calls overlap. */
  pause?(): Promise<void>;
}

/** The part of a task's context that behaviours use. */
interface Progressing {
  progress(value: number): void;
}

const RESERVED: ReadonlySet<string> = new Set(['result', 'flow_failures', 'history']);

/** A member of an object that is handed to user code. */
type Arguments = Readonly<Record<string, unknown>>;

function withDefaults(args: Arguments, defaults: Arguments | undefined): Arguments {
  if (defaults === undefined) return args;
  const missing = Object.entries(defaults).filter(([name]) => !Object.hasOwn(args, name));
  return Object.fromEntries([...Object.entries(args), ...missing]);
}

function ownArguments(args: Arguments): (readonly [string, unknown])[] {
  return Object.entries(args).filter(([name]) => !RESERVED.has(name));
}

function expand(message: string, args: Arguments): string {
  return message.replace(/\{([^{}]*)\}/g, (text, name: string) =>
    Object.hasOwn(args, name) ? JSON.stringify(args[name]) : text,
  );
}

function sumOfNumbers(values: Iterable<unknown>): number {
  let sum = 0;
  for (const value of values) if (typeof value === 'number') sum += value;
  return sum;
}

/** The entry for a call: the last one repeats. */
function entryFor<Item>(items: readonly Item[] | undefined, index: number): Item | undefined {
  return items?.[Math.min(index, items.length - 1)];
}

function canProgress(context: unknown): context is Progressing {
  return isObject(context) && typeof context['progress'] === 'function';
}

/** Does what a behaviour says, in the order in which its keys are evaluated. */
function act(behaviour: Behaviour, args: Arguments, attempt: number, context: unknown, stage: Stage): unknown {
  if (canProgress(context)) for (const value of behaviour.progress ?? []) context.progress(value);
  if (behaviour.suspend === true) stage.suspend();
  const { error, raise } = behaviour;
  if (error !== undefined && behaviour.raiseUnlessEqual !== undefined) {
    const [one, other] = behaviour.raiseUnlessEqual;
    if (!sameJson(member(args, one), member(args, other))) throw makeError(error.type, expand(error.message, args));
  }
  if (error !== undefined && behaviour.raiseIfArg !== undefined) {
    const value = member(args, behaviour.raiseIfArg.arg);
    if (behaviour.raiseIfArg.in.some((each) => sameJson(each, value))) {
      throw makeError(error.type, expand(error.message, args));
    }
  }
  if (raise !== undefined) throw makeError(raise.type, expand(raise.message, args));
  if (behaviour.returnArgs === true) return Object.fromEntries(ownArguments(args));
  if (behaviour.sumArgs !== undefined) return behaviour.sumArgs + sumOfNumbers(ownArguments(args).map(([, it]) => it));
  if (behaviour.returnAttempt === true) return attempt;
  if (behaviour.returnArg !== undefined) return member(args, behaviour.returnArg) ?? null;
  // A copy: a task that gave away the case's own data could have it changed.
  return structuredClone(behaviour.return ?? null);
}

function decideBy(spec: DeciderSpec, history: Arguments, callOf: () => number): boolean {
  switch (spec.kind) {
    case 'const':
      return spec.value;
    case 'equals':
      return Object.hasOwn(history, spec.from) && sameJson(history[spec.from], spec.value);
    case 'has':
      return Object.hasOwn(history, spec.from);
    case 'sumEquals':
      return sumOfNumbers(Object.values(history)) === spec.value;
    case 'sequence':
      return entryFor(spec.values, callOf()) ?? false;
    case 'raise':
      throw makeError(spec.type, spec.message);
  }
}

/** The tasks and retries of a flow, by name. */
export function atomsOf(root: CaseNode): ReadonlyMap<string, TaskNode | RetryNode> {
  const atoms = new Map<string, TaskNode | RetryNode>();
  const visit = (node: CaseNode) => {
    if (node.type === 'task') atoms.set(node.name, node);
    if (node.type !== 'flow') return;
    if (node.retry !== undefined) atoms.set(node.retry.name ?? `${node.name}_retry`, node.retry);
    node.children.forEach(visit);
  };
  visit(root);
  return atoms;
}

/** Never settles: nothing more comes of a call in a process that died. */
export function silence(): Promise<never> {
  return new Promise(() => undefined);
}

/** What the atoms and deciders of a flow do, as the case says it, written to the trace of their stage. */
export function behavioursOf(root: CaseNode, counts: Pick<CallCounts, 'next'>, stage: Stage): Behaviours {
  const atoms = atomsOf(root);

  const call = (
    method: 'execute' | 'revert',
    name: string,
    kind: 'task' | 'retry',
    given: Arguments,
    context: unknown,
  ): unknown => {
    if (stage.isDead) return silence();
    const spec = atoms.get(name);
    const defaults =
      spec !== undefined && 'type' in spec
        ? method === 'execute'
          ? spec.optionalArgs
          : spec.revertOptionalArgs
        : undefined;
    const args = encodeArguments(withDefaults(given, defaults));
    stage.trace({ call: method, scope: kind, name, args });
    const index = counts.next(method, name);
    const behaviour = entryFor(spec?.[method], index);
    const result = (): unknown => (behaviour === undefined ? null : act(behaviour, args, index + 1, context, stage));
    if (stage.pause === undefined || kind === 'retry') return result();
    return stage.pause().then(() => (stage.isDead ? silence() : result()));
  };

  return {
    execute: (name, kind, args, context) => call('execute', name, kind, args, context),
    revert: (name, kind, args, context) => call('revert', name, kind, args, context),
    onFailure(name, args, standard) {
      if (stage.isDead) throw new Error('the process has died');
      const spec = atoms.get(name);
      const decisions = spec !== undefined && 'decisions' in spec ? spec.decisions : undefined;
      let returned: string | null = null;
      try {
        const decision = standard?.() ?? entryFor(decisions, counts.next('onFailure', name)) ?? 'REVERT';
        if (typeof decision !== 'string') throw makeError(decision.raise.type, decision.raise.message);
        returned = decision;
        return decision;
      } finally {
        stage.trace({ call: 'on_failure', scope: 'retry', name, args: encodeArguments(args), returned });
      }
    },
    decide(link, history, spec) {
      if (stage.isDead) throw new Error('the process has died');
      const seen = encodeArguments(history);
      let returned: boolean | null = null;
      try {
        returned = decideBy(spec, seen, () => counts.next('decide', JSON.stringify([link.from, link.to])));
        return returned;
      } finally {
        stage.trace({ call: 'decide', scope: 'link', from: link.from, to: link.to, history: seen, returned });
      }
    },
  };
}
