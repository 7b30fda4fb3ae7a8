import type { AnyStateMachine, StateValue } from 'xstate';
import { ACTIVE } from './colours.js';
import type { Arrow, Box, Picture, Shape } from './picture.js';
import { type StateInWords, statesOf, type Way } from './statechart.js';

export interface MachinePictureOptions {
  /** The state that it is in, as a snapshot's `value`: it has a colour. Default: none. */
  readonly state?: StateValue | undefined;
}

/**
 * A statechart as boxes and arrows. Ways between the same two states share an arrow; events that a state ignores are
 * left out, and those that it handles without leaving are said in its box.
 */
export function pictureOfMachine(machine: AnyStateMachine, { state }: MachinePictureOptions = {}): Picture {
  const active = state === undefined ? [] : activeStates(machine, state);
  return new MachinePicture(statesOf(machine), new Set(active)).draw(machine.id);
}

/** @throws {RangeError} naming the states that there are. */
function activeStates(machine: AnyStateMachine, value: StateValue): string[] {
  const found: string[] = [];
  const enter = (node: AnyStateMachine['root'], inside: StateValue) => {
    for (const [key, below] of typeof inside === 'string' ? [[inside, {}] as const] : Object.entries(inside)) {
      const states = node.states as Readonly<Record<string, AnyStateMachine['root']>>;
      const state = Object.hasOwn(states, key) ? states[key] : undefined;
      if (state === undefined) {
        const known = Object.keys(states).join(', ');
        throw new RangeError(`state takes a state of ${node.id}, one of ${known}, got ${key}`);
      }
      found.push(state.id);
      if (below !== undefined) enter(state, below);
    }
  };
  enter(machine.root, value);
  return found;
}

class MachinePicture {
  readonly #states: ReadonlyMap<string, StateInWords>;
  readonly #ids: ReadonlyMap<string, string>;
  readonly #lines = new Map<string, { readonly from: string; readonly to: string; readonly lines: string[] }>();
  /** States in which something can happen wherever in them one is. */
  readonly #anywhere = new Set<string>();

  constructor(
    private readonly inOrder: readonly StateInWords[],
    private readonly active: ReadonlySet<string>,
  ) {
    this.#states = new Map(inOrder.map((state) => [state.id, state]));
    this.#ids = new Map(inOrder.map(({ id }, index) => [id, `n${index}`]));
  }

  draw(title: string): Picture {
    for (const state of this.inOrder) {
      for (const initial of state.initial) this.#connect(`${this.#idOf(state.id)}_initial`, this.#idOf(initial), null);
      for (const way of state.ways) for (const target of way.targets) this.#add(state, target, way);
    }
    const arrows: Arrow[] = [...this.#lines.values()].map((arrow) => ({ ...arrow, dashed: false }));
    return { title, boxes: this.inOrder.flatMap((state) => this.#boxesOf(state)), arrows };
  }

  #add(source: StateInWords, target: string, way: Way): void {
    const label = way.guard === null ? way.event : `${way.event} [${way.guard}]`;
    if (source.id !== target && this.#isIn(target, source.id)) {
      this.#anywhere.add(source.id);
      this.#connect(`${this.#idOf(source.id)}_anywhere`, this.#idOf(target), label);
      return;
    }
    // Who enters a state around its own goes to where that one begins.
    let entered = target;
    while (entered !== source.id && this.#isIn(source.id, entered)) {
      const [initial] = this.#states.get(entered)?.initial ?? [];
      if (initial === undefined) break;
      entered = initial;
    }
    const isAround = entered !== source.id && this.#isIn(source.id, entered);
    if (isAround) this.#connect(this.#idOf(source.id), this.#idOf(source.id), `${label} → ${this.#nameOf(entered)}`);
    else this.#connect(this.#idOf(source.id), this.#idOf(entered), label);
  }

  #connect(from: string, to: string, label: string | null): void {
    const key = `${from} ${to}`;
    const known = this.#lines.get(key);
    const lines = label === null ? [] : [label];
    if (known === undefined) this.#lines.set(key, { from, to, lines });
    else known.lines.push(...lines);
  }

  #boxesOf(state: StateInWords): Box[] {
    const id = this.#idOf(state.id);
    const box: Box = {
      id,
      parent: state.parent === null ? null : this.#idOf(state.parent),
      shape: shapeOf(state),
      label: state.history === null ? state.key : state.history === 'deep' ? 'H*' : 'H',
      notes: notesOf(state),
      state: this.active.has(state.id) ? ACTIVE : null,
    };
    const inside = (kind: 'initial' | 'anywhere'): Box => {
      return { id: `${id}_${kind}`, parent: id, shape: kind, label: kind, notes: [], state: null };
    };
    return [
      box,
      ...(state.initial.length > 0 ? [inside('initial')] : []),
      ...(this.#anywhere.has(state.id) ? [inside('anywhere')] : []),
    ];
  }

  #isIn(inner: string, outer: string): boolean {
    for (let at: string | null = inner; at !== null; at = this.#states.get(at)?.parent ?? null) {
      if (at === outer) return true;
    }
    return false;
  }

  #idOf(state: string): string {
    return this.#ids.get(state) ?? state;
  }

  #nameOf(state: string): string {
    return this.#states.get(state)?.key ?? state;
  }
}

function shapeOf({ type }: StateInWords): Shape {
  return type === 'atomic' || type === 'compound' ? 'state' : type;
}

function notesOf({ type, invokes, ways }: StateInWords): string[] {
  return [
    ...(type === 'parallel' ? ['parallel'] : []),
    ...invokes.map(({ source }) => `invoke ${source}`),
    ...ways
      .filter(({ targets, actions }) => targets.length === 0 && actions.length > 0)
      .map(({ event, guard, actions }) => `${event}${guard === null ? '' : ` [${guard}]`} / ${actions.join(', ')}`),
  ];
}
