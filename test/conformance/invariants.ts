import type { CaseNode, ConformanceCase } from './case.js';
import type { CaseRecord } from './compare.js';
import { asText, isObject, member, sameJson } from './json.js';

/*
 * What holds of every run of every engine, in whatever order its atoms were run: the five invariants of the
 * format (section 4), with D6, D21 and D24.
 */

type State = string;

/** Transitions that are legal at any time. */
const LEGAL: ReadonlySet<string> = new Set([
  'PENDING RUNNING',
  'PENDING IGNORE',
  'RUNNING SUCCESS',
  'RUNNING FAILURE',
  'SUCCESS REVERTING',
  'FAILURE REVERTING',
  'REVERTING REVERTED',
  'REVERTING REVERT_FAILURE',
  'REVERTED PENDING',
  'IGNORE PENDING',
]);

const LEGAL_FOR_RETRIES: ReadonlySet<string> = new Set(['SUCCESS RETRYING', 'RETRYING RUNNING']);

/** Legal for an atom that the run found in the first of the states (D24, D6). */
const LEGAL_AT_THE_START: ReadonlySet<string> = new Set([
  'RUNNING REVERTING',
  'REVERT_FAILURE REVERTING',
  'RUNNING RUNNING',
  'REVERTING REVERTING',
]);

const DONE: ReadonlySet<State> = new Set(['SUCCESS', 'IGNORE']);
const UNDONE: ReadonlySet<State> = new Set(['PENDING', 'REVERTED', 'IGNORE']);
const READABLE: ReadonlySet<State> = new Set(['SUCCESS', 'FAILURE', 'REVERTING']);

interface Plan {
  /** Each atom's predecessors and successors among the atoms, near and far. */
  readonly before: ReadonlyMap<string, ReadonlySet<string>>;
  readonly after: ReadonlyMap<string, ReadonlySet<string>>;
  /** The atoms that each atom can see. */
  readonly visible: ReadonlyMap<string, readonly string[]>;
  readonly mapping: Readonly<Record<string, unknown>>;
}

const ATOM_ID = /^(?:task|retry):/;

function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** The atoms that follow each atom, from a record of a compiled graph. */
function atomsAfterIn(compiled: Readonly<Record<string, unknown>>, atoms: readonly string[]): Plan['after'] {
  const successors = member(compiled, 'successors');
  const next = (id: string) => (isObject(successors) ? namesIn(member(successors, id)) : []);
  return new Map(
    atoms.map((id) => {
      const seen = new Set(next(id));
      for (const each of seen) for (const follower of next(each)) seen.add(follower);
      return [nameOf(id), new Set([...seen].filter((each) => ATOM_ID.test(each)).map(nameOf))];
    }),
  );
}

const nameOf = (id: string) => id.replace(ATOM_ID, '');

/**
 * The paths of the compiled graph, from a record of it.
 *
 * @param known - The atoms that follow each atom, where more is known of it than the record says.
 */
function planOf(compiled: Readonly<Record<string, unknown>>, known: Plan['after'] | undefined): Plan {
  const nodes = member(compiled, 'nodes');
  const ids = (Array.isArray(nodes) ? nodes : []).flatMap((node: unknown) => namesIn(node).slice(0, 1));
  const atoms = ids.filter((id) => ATOM_ID.test(id));
  const after = known ?? atomsAfterIn(compiled, atoms);
  const before = new Map<string, Set<string>>(atoms.map((id) => [nameOf(id), new Set()]));
  for (const [atom, followers] of after) for (const name of followers) before.get(name)?.add(atom);
  const scopes = member(compiled, 'scopes');
  const visible = atoms.map((id): [string, readonly string[]] => {
    const levels = isObject(scopes) ? member(scopes, nameOf(id)) : undefined;
    return [nameOf(id), Array.isArray(levels) ? levels.flatMap(namesIn) : []];
  });
  const mapping = member(compiled, 'mapping');
  return { before, after, visible: new Map(visible), mapping: isObject(mapping) ? mapping : {} };
}

/** What single atoms bring along: injected values, and defaults of arguments that may be missing. */
interface Own {
  readonly inject: Readonly<Record<string, unknown>>;
  /** By method. */
  readonly defaults: Readonly<Record<'execute' | 'revert', Readonly<Record<string, unknown>>>>;
}

function ownValuesOf(root: CaseNode): ReadonlyMap<string, Own> {
  const own = new Map<string, Own>();
  const visit = (node: CaseNode) => {
    if (node.type === 'task') {
      const defaults = { execute: node.optionalArgs ?? {}, revert: node.revertOptionalArgs ?? {} };
      own.set(node.name, { inject: node.inject ?? {}, defaults });
    }
    if (node.type === 'flow') node.children.forEach(visit);
  };
  visit(root);
  return own;
}

/** Follows the trace of a case's runs and says what should not have happened. */
class Watch {
  readonly #states = new Map<string, State>();
  readonly #returned = new Map<string, unknown>();
  readonly #store = new Map<string, unknown>();
  readonly #own: ReadonlyMap<string, Own>;
  /** Atoms whose method was called since they went to RUNNING or REVERTING. */
  readonly #called = new Set<string>();
  readonly #moved = new Set<string>();
  #mayReset = false;
  #flowState: unknown = 'PENDING';

  constructor(
    private readonly plan: Plan,
    test: ConformanceCase,
  ) {
    this.#own = ownValuesOf(test.flow);
    for (const [symbol, value] of Object.entries(test.store ?? {})) this.#store.set(symbol, value);
    for (const { op, name, state, result, failure } of test.seed ?? []) {
      if (op === 'setFlowState') this.#flowState = state;
      if (name === undefined || (op !== 'setState' && op !== 'save')) continue;
      this.#states.set(name, state ?? 'SUCCESS');
      if (op === 'save') this.#returned.set(name, failure === undefined ? (result ?? null) : { failure });
    }
  }

  begin(isReset: boolean, injected: Readonly<Record<string, unknown>>): void {
    this.#moved.clear();
    this.#called.clear();
    this.#mayReset = isReset || this.#flowState === 'REVERTED';
    for (const [symbol, value] of Object.entries(injected)) this.#store.set(symbol, value);
  }

  *entry(entry: Readonly<Record<string, unknown>>): Generator<string> {
    const event = member(entry, 'event');
    const name = member(entry, 'name');
    if (typeof name !== 'string') return;
    if (event === 'flow') {
      this.#flowState = member(entry, 'new');
      if (this.#flowState === 'RUNNING') this.#mayReset = false;
    } else if (event === 'task' || event === 'retry') yield* this.#change(event, name, entry);
    else if (member(entry, 'call') !== undefined) yield* this.#call(name, entry);
  }

  #stateOf(name: string): State {
    return this.#states.get(name) ?? 'PENDING';
  }

  *#change(kind: 'task' | 'retry', name: string, entry: Readonly<Record<string, unknown>>): Generator<string> {
    const from = this.#stateOf(name);
    const to = String(member(entry, 'new'));
    if (member(entry, 'old') !== from) yield `${name} left ${asText(member(entry, 'old'))} but was ${from}`;
    if (!this.#isLegal(kind, name, from, to)) yield `${name} went from ${from} to ${to}`;

    if (to === 'RUNNING') yield* this.#each(this.plan.before.get(name), DONE, `${name} went to RUNNING`);
    if (to === 'REVERTING') yield* this.#each(this.plan.after.get(name), UNDONE, `${name} went to REVERTING`);
    if (['SUCCESS', 'FAILURE', 'REVERTED', 'REVERT_FAILURE'].includes(to)) {
      const result = member(entry, 'result');
      // An argument that is not found is a failure without a call (D8).
      if (!this.#called.has(name) && !isFailure(result, 'NotFound'))
        yield `${name} went to ${to} without having been called`;
      if (to === 'SUCCESS' || to === 'FAILURE') this.#returned.set(name, result);
      // A revert that failed takes what `execute` returned with it, but not its failure.
      if (to === 'REVERT_FAILURE' && !isFailure(this.#returned.get(name))) this.#returned.delete(name);
    }
    this.#states.set(name, to);
    this.#moved.add(name);
    this.#called.delete(name);
  }

  #isLegal(kind: 'task' | 'retry', name: string, from: State, to: State): boolean {
    const change = `${from} ${to}`;
    if (LEGAL.has(change) || (kind === 'retry' && LEGAL_FOR_RETRIES.has(change))) return true;
    if (to === 'PENDING' && from !== 'PENDING' && this.#mayReset) return true;
    return LEGAL_AT_THE_START.has(change) && !this.#moved.has(name);
  }

  *#each(names: ReadonlySet<string> | undefined, allowed: ReadonlySet<State>, what: string): Generator<string> {
    for (const other of names ?? []) {
      const state = this.#stateOf(other);
      if (!allowed.has(state)) yield `${what} while ${other} was ${state}`;
    }
  }

  *#call(name: string, entry: Readonly<Record<string, unknown>>): Generator<string> {
    const method = String(member(entry, 'call'));
    if (method === 'execute' || method === 'revert') {
      const needed = method === 'execute' ? 'RUNNING' : 'REVERTING';
      const state = this.#stateOf(name);
      if (state !== needed) yield `${method} of ${name} was called while it was ${state}`;
      if (this.#called.has(name)) yield `${method} of ${name} was called twice`;
      this.#called.add(name);
    }
    const args = member(entry, 'args');
    const mapping = member(this.plan.mapping, name);
    if (!isObject(args) || !isObject(mapping)) return;
    const bindings = member(mapping, method === 'revert' ? 'revert' : 'execute');
    if (!isObject(bindings)) return;
    for (const [argument, symbol] of Object.entries(bindings)) {
      if (!Object.hasOwn(args, argument) || typeof symbol !== 'string') continue;
      if (method === 'revert' && ['result', 'flow_failures', 'history'].includes(argument)) continue;
      const value = args[argument];
      if (!this.#couldBe(name, method === 'revert' ? 'revert' : 'execute', argument, symbol, value)) {
        yield `${method} of ${name} got ${asText(value)} for ${argument}, which no provider of ${symbol} returned last`;
      }
    }
    if (method === 'revert' && member(entry, 'scope') === 'task') {
      const result = member(args, 'result');
      const returned = this.#returned.get(name) ?? null;
      if (!sameJson(result, returned))
        yield `revert of ${name} got ${asText(result)} as result, not ${asText(returned)}`;
    }
  }

  #couldBe(name: string, method: 'execute' | 'revert', argument: string, symbol: string, value: unknown): boolean {
    const own = this.#own.get(name);
    if (own !== undefined && Object.hasOwn(own.inject, symbol)) return sameJson(own.inject[symbol], value);
    if (this.#store.has(symbol)) return sameJson(this.#store.get(symbol), value);
    const defaults = own?.defaults[method] ?? {};
    if (Object.hasOwn(defaults, argument) && sameJson(defaults[argument], value)) return true;
    return (this.plan.visible.get(name) ?? []).some((provider) => {
      if (!READABLE.has(this.#stateOf(provider))) return false;
      const mapping = member(this.plan.mapping, provider);
      const saves = isObject(mapping) ? member(mapping, 'saves') : undefined;
      if (!isObject(saves) || !Object.hasOwn(saves, symbol)) return false;
      return sameJson(part(this.#returned.get(provider), saves[symbol]), value);
    });
  }
}

/** The part of a result at a position or a key; the whole where there is neither. */
function part(result: unknown, at: unknown): unknown {
  if (at === null) return result;
  if (typeof at === 'number') return Array.isArray(result) ? (result[at] as unknown) : undefined;
  return isObject(result) && typeof at === 'string' ? member(result, at) : undefined;
}

function isFailure(result: unknown, type?: string): boolean {
  const failure = isObject(result) ? member(result, 'failure') : undefined;
  if (!isObject(failure)) return false;
  return type === undefined ? Object.hasOwn(failure, 'type') : member(failure, 'type') === type;
}

/** Whether the invariants are stated for the runs of a case. */
export function hasInvariants(test: ConformanceCase): boolean {
  return test.runs.every(({ crashAt, crashOn, suspendAt, suspendOn }) =>
    [crashAt, crashOn, suspendAt, suspendOn].every((instruction) => instruction === undefined),
  );
}

/**
 * What the recorded runs of a case did that no engine may do. Runs from the first one with a flow of its own on
 * are not looked at: their graph is another one.
 *
 * @returns Sentences, each with the path of its entry.
 */
export function* violations(test: ConformanceCase, record: CaseRecord): Generator<string> {
  if (!hasInvariants(test) || !isObject(record.compiled) || !Object.hasOwn(record.compiled, 'nodes')) return;
  const watch = new Watch(planOf(record.compiled, record.after), test);
  for (const [index, run] of test.runs.entries()) {
    if (run.flow !== undefined) return;
    const recorded = record.runs[index];
    const trace = isObject(recorded) ? member(recorded, 'trace') : undefined;
    if (!Array.isArray(trace)) return;
    watch.begin(run.reset === true, run.inject ?? {});
    for (const [position, entry] of trace.entries()) {
      if (!isObject(entry)) continue;
      for (const violation of watch.entry(entry)) yield `runs[${index}].trace[${position}]: ${violation}`;
    }
  }
}
