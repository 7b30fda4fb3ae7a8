import type { AnyStateMachine } from 'xstate';
import { type StateInWords, statesOf, type Way } from './statechart.js';
import { xml } from './text.js';

const NAMESPACE = 'urn:flowstate:scxml';
/** What XState calls the end of a state, before its id. */
const DONE = 'xstate.done.state.';

/**
 * A machine as SCXML, the W3C's language for statecharts.
 *
 * Guards, actions and actors are names there as they are here: a guard is the `cond` of a transition, an action an
 * element of its own namespace, an actor the `src` of what is invoked. An id is the state's key, or the way to it where
 * that is not enough; one that cannot be an id in XML has its name beside it, as have events. The same machine always
 * gives the same text.
 */
export function machineToScxml(machine: AnyStateMachine): string {
  return new Scxml(statesOf(machine)).text(machine.id);
}

interface Element {
  readonly tag: string;
  readonly attributes?: Readonly<Record<string, string | null>>;
  readonly children?: readonly Element[];
}

class Scxml {
  readonly #ids: ReadonlyMap<string, string>;
  readonly #byId: ReadonlyMap<string, StateInWords>;
  readonly #children = new Map<string | null, StateInWords[]>();

  constructor(private readonly states: readonly StateInWords[]) {
    this.#ids = idsOf(states);
    this.#byId = new Map(states.map((state) => [state.id, state]));
    for (const state of states) {
      const siblings = this.#children.get(state.parent);
      if (siblings === undefined) this.#children.set(state.parent, [state]);
      else siblings.push(state);
    }
  }

  text(name: string): string {
    const [root] = this.states;
    // The outermost element has no transitions, and does nothing when it is entered.
    const isPlain =
      root?.type === 'compound' && [root.ways, root.entry, root.exit, root.invokes].every(({ length }) => length === 0);
    const outer = isPlain ? (this.#children.get(root.id) ?? []) : this.states.slice(0, 1);
    const initial = isPlain ? root.initial : outer.map(({ id }) => id);
    const attributes = {
      xmlns: 'http://www.w3.org/2005/07/scxml',
      'xmlns:flowstate': NAMESPACE,
      version: '1.0',
      name: tokenOf(name),
      ...(tokenOf(name) === name ? {} : { 'flowstate:name': name }),
      // Conditions are names of guards.
      datamodel: 'xstate',
      initial: initial.map((id) => this.#idOf(id)).join(' ') || null,
    };
    const children = outer.map((state) => this.#state(state, { isOuter: !isPlain }));
    const end = isPlain || root === undefined ? [] : this.#endOf(root);
    return `<?xml version="1.0" encoding="UTF-8"?>\n${lines({ tag: 'scxml', attributes, children: [...children, ...end] }, '').join('\n')}\n`;
  }

  /** Where a machine stops whose outermost state is inside of another element. */
  #endOf({ type, id }: StateInWords): Element[] {
    const mayEnd = type === 'parallel' || this.#children.get(id)?.some((child) => child.type === 'final') === true;
    return mayEnd ? [{ tag: 'final', attributes: { id: this.#end } }] : [];
  }

  #state(state: StateInWords, { isOuter = false } = {}): Element {
    const id = this.#idOf(state.id);
    const named = { id, ...(id === state.key ? {} : { 'flowstate:name': state.key }) };
    if (state.type === 'history') {
      const target = state.fallback.map((each) => this.#idOf(each)).join(' ');
      const children = [{ tag: 'transition', attributes: { target } }];
      return { tag: 'history', attributes: { ...named, type: state.history }, children };
    }
    const tag = state.type === 'final' || state.type === 'parallel' ? state.type : 'state';
    const initial = state.initial.map((each) => this.#idOf(each)).join(' ') || null;
    return {
      tag,
      attributes: { ...named, initial },
      children: [
        ...doing('onentry', [...state.entry.map(action), ...this.#timers(state)]),
        ...doing('onexit', [...state.exit.map(action), ...this.#timers(state).map(stopped)]),
        ...state.invokes.map(({ id: actor, source }) => ({
          tag: 'invoke',
          attributes: { id: tokenOf(actor), src: source },
        })),
        ...state.ways.map((way) => this.#transition(state, way)),
        ...(isOuter ? this.#endOf(state).map(() => ending(id, this.#end)) : []),
        ...(this.#children.get(state.id) ?? []).map((child) => this.#state(child)),
      ],
    };
  }

  #transition(state: StateInWords, way: Way): Element {
    const type = this.#eventOf(state, way);
    const event = type === null ? null : tokenOf(type);
    // XState leaves a state without children alone where an event leads back to it, unless it is told otherwise.
    const stays = state.type === 'atomic' && !way.reenters && way.targets.every((target) => target === state.id);
    const isInside =
      !way.reenters && way.targets.length > 0 && way.targets.every((target) => this.#isIn(target, state.id));
    const targets = way.targets.flatMap((target) => (target === state.id && isInside ? state.initial : [target]));
    return {
      tag: 'transition',
      attributes: {
        event,
        ...(type === event ? {} : { 'flowstate:event': type }),
        cond: way.guard,
        target: stays ? null : targets.map((target) => this.#idOf(target)).join(' ') || null,
        type: isInside && !stays ? 'internal' : null,
      },
      children: way.actions.map(action),
    };
  }

  #timers(state: StateInWords): Element[] {
    const delays = new Set(state.ways.flatMap(({ trigger: { kind, of } }) => (kind === 'after' ? [of] : [])));
    return [...delays].map((delay) => {
      const event = timerOf(this.#idOf(state.id), delay);
      const time = /^\d+$/.test(delay) ? { delay: `${delay}ms` } : { delayexpr: delay };
      return { tag: 'send', attributes: { id: event, event, ...time } };
    });
  }

  /** What SCXML calls the events that XState makes itself. null: nothing is waited for. */
  #eventOf({ id }: StateInWords, { trigger: { kind, of } }: Way): string | null {
    const own = this.#idOf(id);
    switch (kind) {
      case 'always':
        return null;
      case 'after':
        return timerOf(own, of);
      case 'done':
        return `done.state.${own}`;
      case 'done actor':
        return `done.invoke.${tokenOf(of)}`;
      case 'error actor':
        return `error.platform.${tokenOf(of)}`;
      case 'snapshot actor':
        return `snapshot.${tokenOf(of)}`;
      case 'event':
        return of.startsWith(DONE) ? `done.state.${this.#idOf(of.slice(DONE.length))}` : of;
    }
  }

  #isIn(inner: string, outer: string): boolean {
    for (let at: string | null = inner; at !== null; at = this.#byId.get(at)?.parent ?? null) {
      if (at === outer) return true;
    }
    return false;
  }

  /** An id that no state has. */
  get #end(): string {
    const taken = new Set(this.#ids.values());
    let end = 'end';
    while (taken.has(end)) end = `_${end}`;
    return end;
  }

  #idOf(state: string): string {
    return this.#ids.get(state) ?? state;
  }
}

function ending(id: string, end: string): Element {
  return { tag: 'transition', attributes: { event: `done.state.${id}`, target: end } };
}

/** Letters, digits and what may stand between them; no id begins with what an id of XML may not begin with, or is the prototype. */
const ID = /^(?!__proto__$)[A-Za-z_][\w.-]*$/;

function idsOf(states: readonly StateInWords[]): Map<string, string> {
  const taken = new Set<string>();
  return new Map(
    states.map(({ id, key }, index) => {
      const free = [key, id].find((name) => ID.test(name) && !taken.has(name));
      let own = free ?? `n${index}`;
      while (taken.has(own)) own = `_${own}`;
      taken.add(own);
      return [id, own];
    }),
  );
}

function doing(tag: 'onentry' | 'onexit', children: readonly Element[]): Element[] {
  return children.length === 0 ? [] : [{ tag, children }];
}

function action(name: string): Element {
  return { tag: 'flowstate:action', attributes: { name } };
}

function stopped({ attributes }: Element): Element {
  return { tag: 'cancel', attributes: { sendid: attributes?.['id'] ?? null } };
}

function timerOf(id: string, delay: string): string {
  return tokenOf(`after.${delay}.${id}`);
}

/** What may stand where SCXML has several names one after the other: of anything else its number in between `_`. */
function tokenOf(text: string): string {
  if (text === '*') return text;
  return text.replace(/_(?=[0-9a-f]+_)|[^\w.-]/gu, (char) => `_${(char.codePointAt(0) ?? 0).toString(16)}_`);
}

function lines({ tag, attributes = {}, children = [] }: Element, indent: string): string[] {
  const given = Object.entries(attributes).flatMap(([name, value]) =>
    value === null ? [] : ` ${name}="${xml(value)}"`,
  );
  const open = `${indent}<${tag}${given.join('')}`;
  if (children.length === 0) return [`${open}/>`];
  return [`${open}>`, ...children.flatMap((child) => lines(child, `${indent}  `)), `${indent}</${tag}>`];
}
