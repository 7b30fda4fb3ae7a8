import { NotFoundError } from '../errors.js';
import { setHidden } from '../hidden-property.js';
import { nearestName } from '../nearest-name.js';
import type { AtomDetail } from '../persistence/details.js';
import type { Answer, Asker, Provider } from '../storage/lookup.js';
import { isFound, lookUp } from '../storage/lookup.js';
import { extract, readLast } from '../storage/values.js';
import type { Runtime } from './runtime.js';

export interface ExplainOptions {
  /** Whose argument it is. @default 'execute' */
  readonly method?: 'execute' | 'revert';
}

/** One place in which a value was looked for, or one atom that provides it. */
export interface ExplainedStep {
  /**
   * Values injected for the atom, those injected for the run, a flow around the atom; `elsewhere` are atoms that the
   * atom cannot see.
   */
  readonly place: 'atom' | 'run' | 'flow' | 'elsewhere';
  /** Of the atom, run or flow; null elsewhere. */
  readonly name: string | null;
  /** The atom that provides the symbol; null for injected values, and where there is none. */
  readonly provider: string | null;
  readonly verdict: 'chosen' | 'skipped' | 'nothing';
  /** Why it was skipped or chosen, and what was not there. */
  readonly reason: string;
}

interface Question {
  readonly atom: string;
  readonly method: 'execute' | 'revert';
  readonly argument: string;
  readonly symbol: string;
  /** Whether the argument is left out when there is no value. */
  readonly isOptional: boolean;
}

/** Where the value of an argument comes from, or why there is none. Its text never has the value. */
export class Explanation implements Question {
  readonly atom: string;
  readonly method: 'execute' | 'revert';
  readonly argument: string;
  readonly symbol: string;
  readonly isOptional: boolean;
  /** In the order of looking. Every atom that provides the symbol is in one of them. */
  readonly steps: readonly ExplainedStep[];
  /** What stands in the way of a value; null when there is one. */
  readonly missing: string | null;
  /** There when nothing is missing. Not enumerable where the store's codec keeps secrets. */
  declare readonly value?: unknown;

  /** @internal */
  constructor(question: Question, steps: readonly ExplainedStep[], answer: Answer, isSecret: boolean) {
    this.atom = question.atom;
    this.method = question.method;
    this.argument = question.argument;
    this.symbol = question.symbol;
    this.isOptional = question.isOptional;
    this.steps = steps;
    this.missing = isFound(answer) ? null : answer.missing;
    if (!isFound(answer)) return;
    if (isSecret) setHidden(this, 'value', answer.value);
    else this.value = answer.value;
  }

  /** The step that has the value; null when there is none. */
  get chosen(): ExplainedStep | null {
    return this.steps.find(({ verdict }) => verdict === 'chosen') ?? null;
  }

  toString(): string {
    const { atom, method, argument, symbol, chosen, missing, isOptional } = this;
    const renamed = argument === symbol ? '' : ` (the symbol ${symbol})`;
    const what = `${argument}${renamed} of ${atom}${method === 'execute' ? '' : ', to revert it,'}`;
    const outcome =
      chosen === null
        ? `${isOptional ? 'is left out' : 'has no value'}: ${missing ?? ''}`
        : `comes from ${chosen.provider ?? placeText(chosen)}`;
    return [`${what} ${outcome}`, ...this.steps.map((step) => `  ${stepText(step)}`)].join('\n');
  }
}

function placeText({ place, name }: ExplainedStep): string {
  switch (place) {
    case 'atom':
      return `the values injected for ${name ?? ''}`;
    case 'run':
      return 'the values injected for the run';
    case 'flow':
      return `the flow ${name ?? ''}`;
    case 'elsewhere':
      return 'elsewhere';
  }
}

function stepText(step: ExplainedStep): string {
  const { provider, verdict, reason } = step;
  const subject = provider === null ? '' : ` ${provider}`;
  return `${placeText(step)}:${subject} ${verdict === 'nothing' ? '' : `${verdict}, `}${reason}`;
}

/** @throws {NotFoundError} for an unknown atom, and for an argument that its method does not have. */
export function explain(
  runtime: Runtime,
  atom: string,
  argument: string,
  { method = 'execute' }: ExplainOptions = {},
): Explanation {
  const { compilation, storage } = runtime;
  const { index, item } = compilation.atom(atom);
  const mapping = method === 'execute' ? item.executeMapping : item.revertMapping;
  const symbol = mapping.bindings.get(argument);
  if (symbol === undefined) throw new NotFoundError(noSuchArgument(atom, argument, method, mapping.bindings.keys()));
  const asker = { place: index, detail: runtime.slot(index).detail };
  const answer = lookUp(storage, storage.surroundings, asker, symbol, { predecessorsAreDone: false });
  const isOptional = mapping.optional.has(symbol);
  const steps = new Search(runtime, asker, symbol, isFound(answer)).steps();
  const isSecret = storage.codec?.keepsSecrets === true;
  return new Explanation({ atom, method, argument, symbol, isOptional }, steps, answer, isSecret);
}

function noSuchArgument(atom: string, argument: string, method: string, known: Iterable<string>): string {
  const names = [...known];
  const meant = nearestName(argument, names);
  const others = names.length === 0 ? 'it has none' : `there are ${names.join(', ')}`;
  const hint = meant === null ? others : `did you mean ${meant}?`;
  return `${method} of ${atom} has no argument ${JSON.stringify(argument)} that is looked up; ${hint}`;
}

interface Seen {
  readonly detail: AtomDetail;
  readonly part: Provider['part'];
  readonly level: number;
}

/** Goes the way of a look-up again and writes down what there is. */
class Search {
  readonly #steps: ExplainedStep[] = [];
  /** What has the value; what comes after it does not count. */
  #chosen: string | null = null;
  /** The flow whose results are at hand; none further out counts. */
  #readableLevel: number | null = null;
  /** The atom without a result behind which nothing is looked at. */
  #stopper: string | null = null;

  /** @param isFound - Whether the look-up found a value. */
  constructor(
    private readonly runtime: Runtime,
    private readonly asker: Asker,
    private readonly symbol: string,
    private readonly isFound: boolean,
  ) {}

  steps(): readonly ExplainedStep[] {
    const { compilation, storage } = this.runtime;
    const { detail, place } = this.asker;
    this.#injected('atom', detail.name, storage.argumentOf(detail, this.symbol) !== undefined);
    this.#injected('run', compilation.name, storage.flowValue(this.symbol) !== undefined);
    const visible: Seen[] = [];
    storage.surroundings.visit(place, this.symbol, (seen, part, level) => {
      visible.push({ detail: seen, part, level });
      return false;
    });
    let level = 0;
    for (let flow = compilation.node(place).parent; flow !== null; flow = flow.parent, level++) {
      const here = visible.filter((seen) => seen.level === level);
      for (const seen of here) this.#provider(flow.name, seen);
      if (here.length === 0 && this.#chosen === null) {
        const reason = `nothing in it that comes before ${detail.name} provides ${this.symbol}`;
        this.#steps.push({ place: 'flow', name: flow.name, provider: null, verdict: 'nothing', reason });
      }
    }
    const names = new Set(visible.map((seen) => seen.detail.name));
    for (const { name: provider } of storage.surroundings.providers(this.symbol)) {
      if (names.has(provider)) continue;
      const reason =
        provider === detail.name ? 'it cannot use its own result' : `it does not come before ${detail.name}`;
      this.#steps.push({ place: 'elsewhere', name: null, provider, verdict: 'skipped', reason });
    }
    return this.#steps;
  }

  #injected(place: 'atom' | 'run', name: string, isThere: boolean): void {
    const step = { place, name, provider: null };
    if (!isThere) this.#steps.push({ ...step, verdict: 'nothing', reason: `none is called ${this.symbol}` });
    else if (this.#chosen !== null) this.#steps.push({ ...step, verdict: 'skipped', reason: this.#hidden });
    else {
      const reason = place === 'atom' ? 'these come first' : 'these come before results of atoms';
      this.#steps.push({ ...step, verdict: 'chosen', reason });
      this.#chosen = 'an injected value';
    }
  }

  get #hidden(): string {
    return `as ${this.#chosen ?? ''} comes first`;
  }

  #provider(name: string, seen: Seen): void {
    const step = { place: 'flow', name, provider: seen.detail.name } as const;
    const objection = this.#objectionTo(seen);
    if (objection !== null) this.#steps.push({ ...step, verdict: 'skipped', reason: objection });
    else {
      const { state } = seen.detail;
      this.#steps.push({
        ...step,
        verdict: 'chosen',
        reason: `the nearest with a result, in the state ${String(state)}`,
      });
      this.#chosen = seen.detail.name;
    }
  }

  #objectionTo({ detail, part, level }: Seen): string | null {
    if (this.#chosen !== null) return this.#hidden;
    if (this.#stopper !== null) return `not looked at, as ${this.#stopper} has no result`;
    if (this.#readableLevel !== null && level !== this.#readableLevel) return 'not looked at, as results were nearer';
    const reading = readLast(detail);
    if (reading.kind === 'ignored') return 'it was ignored';
    if (reading.kind === 'none') {
      this.#stopper = detail.name;
      return `it has no result in the state ${String(reading.state)}`;
    }
    this.#readableLevel = level;
    if (extract(reading.value, part) === undefined) return `its result has no value for ${this.symbol}`;
    return this.isFound ? null : 'another one in the same flow has no result';
  }
}
