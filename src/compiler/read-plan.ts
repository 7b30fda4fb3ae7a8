import { InvalidFormatError } from '../errors.js';
import { readFirstForm } from './plan-first-form.js';
import type { PlannedBinding, PlannedLink, PlannedPart, PlannedSymbol } from './planned-parts.js';
import { corrupted, FORMAT, isNumber, KINDS, PATTERNS, SAME, USUAL, USUAL_VERSION, WHOLE } from './planned-parts.js';

/** That of flowstate 0.1.0. */
const FIRST_FORMAT = 1;

/**
 * The parts of a plan that was written down.
 *
 * @throws {InvalidFormatError} for anything else, and for a plan that another flowstate wrote in another form.
 */
export function readPlan(text: string): readonly PlannedPart[] {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (cause) {
    throw new InvalidFormatError('The plan of the run cannot be read', { cause });
  }
  if (Array.isArray(fields)) return new PlanReader(fields).parts();
  if (typeof fields !== 'object' || fields === null || !('format' in fields) || !('parts' in fields)) {
    throw corrupted('it', fields);
  }
  if (fields.format !== FIRST_FORMAT) throw unknownFormat(fields.format);
  return readFirstForm(fields);
}

function unknownFormat(format: unknown): InvalidFormatError {
  return new InvalidFormatError(`The plan of the run has the format ${String(format)}, which is not known here`);
}

/** Reads what `addPart` has added. */
class PlanReader {
  #at = 0;

  constructor(private readonly fields: readonly unknown[]) {}

  parts(): readonly PlannedPart[] {
    const format = this.#next();
    if (format !== FORMAT) throw unknownFormat(format);
    const parts: PlannedPart[] = [];
    while (this.#at < this.fields.length) {
      const part = this.#part();
      const isPlaced = parts.length === 0 ? part.parent === -1 : parts[part.parent]?.kind === 'flow';
      if (!isPlaced) throw corrupted(`the place of part ${parts.length}`, part.parent);
      parts.push(part);
    }
    return parts;
  }

  #part(): PlannedPart {
    const kind = this.#oneOf(KINDS, 'a kind');
    const name = this.#text('a name');
    const parent = this.#number('a place');
    if (kind === 'flow')
      return { kind, name, parent, pattern: this.#oneOf(PATTERNS, 'a pattern'), links: this.#links() };
    const version = this.#textOr(USUAL_VERSION, 'a version');
    const takes = this.#bindings();
    const toRevert = this.#isNext(SAME) ? null : this.#bindings();
    const provides = this.#list('what is provided', () => this.#provided());
    const hasMore = !this.#isNext(USUAL);
    if (hasMore && !this.#isNext(1)) throw corrupted('what is unusual', this.#next());
    const names = () => (hasMore ? this.#list('a list of names', () => this.#text('a name')) : []);
    const [optional, optionalToRevert, injects] = [names(), names(), names()];
    return {
      ...{ kind, name, parent, version, provides, injects },
      takes: planned(takes, optional),
      takesToRevert: toRevert === null ? planned(takes, optional) : planned(toRevert, optionalToRevert),
      links: hasMore ? this.#links() : [],
    };
  }

  #bindings(): (readonly [argument: string, symbol: string])[] {
    return this.#list('what is taken', () => {
      const argument = this.#text('an argument');
      return [argument, this.#textOr(argument, 'a symbol')];
    });
  }

  #provided(): PlannedSymbol {
    const symbol = this.#text('a symbol');
    const part = this.#next();
    if (part === WHOLE) return symbol;
    if (typeof part !== 'string' && !isNumber(part)) throw corrupted('a part of a result', part);
    return [symbol, part];
  }

  #links(): PlannedLink[] {
    return this.#list('a list of links', () => {
      const from = this.#number('where a link comes from');
      return { from, depth: this.#isNext(USUAL) ? null : this.#text('a depth') };
    });
  }

  #list<Item>(what: string, read: () => Item): Item[] {
    const length = this.#number(`the length of ${what}`);
    if (length < 0 || length > this.fields.length) throw corrupted(`the length of ${what}`, length);
    return Array.from({ length }, read);
  }

  #oneOf<Name extends string>(names: readonly Name[], what: string): Name {
    const number = this.#number(what);
    const name = names[number];
    if (name === undefined) throw corrupted(what, number);
    return name;
  }

  #textOr(usual: string, what: string): string {
    return this.#isNext(USUAL) ? usual : this.#text(what);
  }

  #text(what: string): string {
    const field = this.#next();
    if (typeof field !== 'string') throw corrupted(what, field);
    return field;
  }

  #number(what: string): number {
    const field = this.#next();
    if (!isNumber(field)) throw corrupted(what, field);
    return field;
  }

  /** Goes past the next field if it is a certain one. */
  #isNext(field: number): boolean {
    const isIt = this.fields[this.#at] === field;
    if (isIt) this.#at += 1;
    return isIt;
  }

  #next(): unknown {
    return this.fields[this.#at++];
  }
}

function planned(bindings: readonly (readonly [string, string])[], optional: readonly string[]): PlannedBinding[] {
  return bindings.map(([argument, symbol]) => {
    if (optional.includes(argument)) return [argument, symbol, 1];
    return argument === symbol ? argument : [argument, symbol];
  });
}
