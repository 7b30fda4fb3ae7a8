import type { AnyStateMachine } from 'xstate';

type Node = AnyStateMachine['root'];
type Definition = Node['transitions'] extends Map<string, (infer Each)[]> ? Each : never;

/** What a way out of a state waits for. */
export interface Trigger {
  /** An event of the machine's own, a delay, the end of the state or of an invoked actor, or nothing. */
  readonly kind: 'event' | 'always' | 'after' | 'done' | 'done actor' | 'error actor' | 'snapshot actor';
  /** The type of the event, the delay, or the id of the actor; empty where there is none. */
  readonly of: string;
}

/** One way out of a state, in words. */
export interface Way {
  /** What it waits for: an event, `after …`, `done`, or `always`. */
  readonly event: string;
  readonly trigger: Trigger;
  readonly guard: string | null;
  /** Where it leads: ids of states. Empty: the state stays. */
  readonly targets: readonly string[];
  /** Its own actions. */
  readonly actions: readonly string[];
  /** Whether the state itself is left and entered again. */
  readonly reenters: boolean;
}

/** An actor that a state invokes. */
export interface Invoked {
  readonly id: string;
  readonly source: string;
}

/** A state of any statechart, in words. */
export interface StateInWords {
  /** XState's: the way from the root, `engine.RUNNING`, unless the machine says otherwise. */
  readonly id: string;
  readonly parent: string | null;
  readonly key: string;
  readonly type: Node['type'];
  readonly history: 'shallow' | 'deep' | null;
  /** Ids of the states that are entered with this one. */
  readonly initial: readonly string[];
  /** Of a history: ids of the states that are entered while there is none. */
  readonly fallback: readonly string[];
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invokes: readonly Invoked[];
  readonly ways: readonly Way[];
}

/** All states of a machine, the root first, in the order of its configuration. */
export function statesOf(machine: AnyStateMachine): StateInWords[] {
  const found: StateInWords[] = [];
  const root: Node = machine.root;
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    found.push(inWords(node));
    const children: readonly Node[] = Object.values(node.states);
    waiting.push(...children.toReversed());
  }
  return found;
}

function inWords(node: Node): StateInWords {
  const invokes = node.invoke.map(({ id, src }) => ({ id, source: typeof src === 'string' ? src : id }));
  const definitions: readonly Definition[] = [...(node.always ?? []), ...[...node.transitions.values()].flat()];
  const parent: Node | undefined = node.parent;
  return {
    id: node.id,
    parent: parent?.id ?? null,
    key: parent === undefined ? node.machine.id : node.key,
    type: node.type,
    history: node.type !== 'history' ? null : node.history === 'deep' ? 'deep' : 'shallow',
    initial: node.type === 'compound' ? idsOf(node.initial.target) : [],
    fallback: node.type === 'history' ? withoutHistory(node) : [],
    entry: withoutTimers(node.entry, node).map(named),
    exit: withoutTimers(node.exit, node).map(named),
    invokes,
    ways: definitions.map((definition) => {
      const trigger = triggerOf(String(definition.eventType), node.id);
      return {
        event: inWordsOf(trigger, invokes),
        trigger,
        guard: definition.guard === undefined ? null : named(definition.guard),
        targets: idsOf(definition.target),
        actions: definition.actions.map(named),
        reenters: definition.reenter,
      };
    }),
  };
}

/** Where a history leads while there is none: to a place in the state around it, or to where that one begins. */
function withoutHistory({ parent, config }: Node): string[] {
  const around: Node | undefined = parent;
  if (around === undefined) return [];
  const { target } = config as { readonly target?: string | undefined };
  if (target === undefined) return around.type === 'compound' ? idsOf(around.initial.target) : [around.id];
  if (target.startsWith('#')) return [target.slice(1)];
  const states = (node: Node | undefined) => node?.states as Readonly<Record<string, Node>> | undefined;
  return idsOf([target.split('.').reduce<Node | undefined>((at, key) => states(at)?.[key], around) ?? around]);
}

/** XState appends to the actions of a state what starts and stops the timers of `after`. */
function withoutTimers(actions: readonly unknown[], { config }: Node): readonly unknown[] {
  return actions.slice(0, actions.length - Object.keys(config.after ?? {}).length);
}

function idsOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).map(({ id }) => id);
}

/** Takes XState's own events apart. */
function triggerOf(type: string, state: string): Trigger {
  if (type === '') return { kind: 'always', of: '' };
  if (type === `xstate.done.state.${state}`) return { kind: 'done', of: '' };
  const ofActor = /^xstate\.(?:(done|error)\.actor|(snapshot))\.(.*)$/s.exec(type);
  if (ofActor !== null) {
    const [, ended, snapshot, of = ''] = ofActor;
    return { kind: `${(ended ?? snapshot) as 'done' | 'error' | 'snapshot'} actor`, of };
  }
  const after = /^xstate\.after\.(.*)$/s.exec(type)?.[1];
  if (after === undefined) return { kind: 'event', of: type };
  return { kind: 'after', of: after.endsWith(`.${state}`) ? after.slice(0, -state.length - 1) : after };
}

function inWordsOf({ kind, of }: Trigger, invokes: readonly Invoked[]): string {
  if (kind === 'event') return of;
  if (of === '') return kind;
  const source = invokes.find(({ id }) => id === of)?.source ?? of;
  return `${kind.replace(' actor', '')} ${source}`;
}

/** The name of a guard or an action with its parameters. What has no name is `inline`. */
function named(thing: unknown): string {
  if (typeof thing === 'string') return thing;
  if (typeof thing === 'function') {
    const guards: unknown = 'guards' in thing ? thing.guards : undefined;
    if (Array.isArray(guards)) return `${thing.name}(${guards.map(named).join(', ')})`;
    const type: unknown = 'type' in thing ? thing.type : undefined;
    return typeof type === 'string' ? type.replace(/^xstate\./, '') : thing.name || 'inline';
  }
  if (typeof thing !== 'object' || thing === null || !('type' in thing)) return 'inline';
  const params: unknown = 'params' in thing ? thing.params : undefined;
  return params === undefined ? String(thing.type) : `${String(thing.type)}(${parameters(params)})`;
}

function parameters(params: unknown): string {
  if (typeof params === 'function') return '…';
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return JSON.stringify(params);
  return Object.entries(params)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : parameters(value)}`)
    .join(', ');
}
