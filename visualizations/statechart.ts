import type { AnyStateMachine } from 'xstate';

type Node = AnyStateMachine['root'];
type Definition = Node['transitions'] extends Map<string, (infer Each)[]> ? Each : never;

/** One way out of a state, in words. */
export interface Way {
  /** What it waits for: an event, `after …`, `done`, or `always`. */
  readonly event: string;
  readonly guard: string | null;
  /** Where it leads: ids of states. Empty: the state stays. */
  readonly targets: readonly string[];
  /** Its own actions. */
  readonly actions: readonly string[];
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
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invokes: readonly string[];
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
  const sources = new Map(node.invoke.map(({ id, src }) => [id, typeof src === 'string' ? src : id]));
  const definitions: readonly Definition[] = [...(node.always ?? []), ...[...node.transitions.values()].flat()];
  const parent: Node | undefined = node.parent;
  return {
    id: node.id,
    parent: parent?.id ?? null,
    key: parent === undefined ? node.machine.id : node.key,
    type: node.type,
    history: node.history === false ? null : node.history,
    initial: node.type === 'compound' ? idsOf(node.initial.target) : [],
    entry: withoutTimers(node.entry, node).map(named),
    exit: withoutTimers(node.exit, node).map(named),
    invokes: [...sources.values()],
    ways: definitions.map((definition) => ({
      event: eventIn(String(definition.eventType), node.id, sources),
      guard: definition.guard === undefined ? null : named(definition.guard),
      targets: idsOf(definition.target),
      actions: definition.actions.map(named),
    })),
  };
}

/** XState appends to the actions of a state what starts and stops the timers of `after`. */
function withoutTimers(actions: readonly unknown[], { config }: Node): readonly unknown[] {
  return actions.slice(0, actions.length - Object.keys(config.after ?? {}).length);
}

function idsOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).map(({ id }) => id);
}

/** XState's own events, as they are written in a configuration. */
function eventIn(type: string, state: string, sources: ReadonlyMap<string, string>): string {
  if (type === '') return 'always';
  if (type === `xstate.done.state.${state}`) return 'done';
  const [, kind, of = ''] = /^xstate\.(done\.actor|error\.actor|snapshot|after)\.(.*)$/s.exec(type) ?? [];
  if (kind === undefined) return type;
  if (kind === 'after') return `after ${of.endsWith(`.${state}`) ? of.slice(0, -state.length - 1) : of}`;
  return `${kind.replace('.actor', '')} ${sources.get(of) ?? of}`;
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
