import { inspect } from 'node:util';
import { type ArgumentMapping, bareCopy, isPlainObject, listed, requiredBy, shown } from './arguments.js';
import type { AtomDefaults, AtomOptions } from './atom-options.js';
import { readNames } from './names.js';
import { readProvides, type SaveAs } from './provides.js';
import { mapBothMethods } from './signature.js';
import { readTimeLimits, type TimeLimits } from './time-limits.js';
import { type Check, checkOf } from './validators.js';

const VERSION = /^\d+(\.\d+)*$/;

/** Carries the types of an atom or flow; nothing is ever stored under it. */
export declare const typesOf: unique symbol;

/** What TypeScript knows of an atom or flow. */
export interface DeclaredTypes<Needs extends object, Gives extends object, Args extends object = object> {
  /** Symbols that have to come from outside. */
  readonly needs: Needs;
  /** Symbols that come out. */
  readonly gives: Gives;
  /** Arguments of `execute`. */
  readonly args: Args;
}

/**
 * A unit that runs: a task, or a retry.
 *
 * What it requires, provides and where its arguments come from is settled when it is made.
 *
 * @see TaskFlow `atom.py`, `Atom`. Differs: methods take one object with all arguments; parameters are declared.
 */
export abstract class Atom<Args extends object = object, Gives extends object = object, Needs extends object = object> {
  declare readonly [typesOf]?: DeclaredTypes<Needs, Gives, Args>;

  abstract readonly kind: 'task' | 'retry';
  abstract readonly name: string;
  readonly version: string;
  priority: number;
  /** Where the value of each symbol is in the result: a position, a key, or null for the whole. */
  readonly saveAs: SaveAs;
  readonly provides: ReadonlySet<string>;
  readonly executeMapping: ArgumentMapping;
  readonly revertMapping: ArgumentMapping;
  readonly inject: Readonly<Record<string, unknown>> | undefined;
  /** How long its methods may take. */
  readonly timeoutMs: TimeLimits | undefined;
  /** Checks the arguments of `execute` and gives those to call it with. Present when there are validators. */
  readonly checkArguments?: Check;
  /** Checks what `execute` returned and gives what is kept. Present when there are validators. */
  readonly checkResult?: (result: unknown) => unknown;

  // Not #private: a copy made from the prototype has to have it, too. Null: all that `execute` is bound to.
  private readonly ownRequires: ReadonlySet<string> | null;

  protected constructor(options: AtomOptions, defaults: AtomDefaults) {
    const name = defaults.name;
    const atom = name === '' ? `a ${defaults.kind} without a name` : `${defaults.kind} '${name}'`;
    this.version = readVersion(atom, options.version);
    this.priority = readPriority(atom, options.priority);
    this.inject = readInject(atom, options.inject);
    this.timeoutMs = readTimeLimits(atom, options.timeoutMs);

    const provided = readProvides(atom, options.provides === undefined ? defaults.provides : options.provides);
    this.saveAs = provided.saveAs;
    this.provides = provided.saveAs.size === 0 ? NO_NAMES : new Set(provided.saveAs.keys());
    if (provided.validators !== undefined) {
      const check = checkOf(atom, 'result', provided.validators);
      if (check !== undefined) this.checkResult = resultCheck(atom, check, this.saveAs);
    }

    const requires = readNames(atom, 'requires', options.requires);
    const optional = readNames(atom, 'optional', options.optional);
    if (requires.validators.size + optional.validators.size > 0) {
      const check = checkOf(atom, 'argument', new Map([...requires.validators, ...optional.validators]));
      if (check !== undefined) this.checkArguments = check;
    }

    const { execute, revert } = mapBothMethods(atom, options, defaults, requires.names, optional.names);
    this.executeMapping = execute.mapping;
    // Most atoms take the same to be done and to be undone: one mapping serves for both.
    const isOne = revert === execute || isSame(execute.mapping, revert.mapping);
    this.revertMapping = isOne ? execute.mapping : revert.mapping;
    this.ownRequires = isOne ? execute.requires : new Set([...requiredBy(execute), ...requiredBy(revert)]);
  }

  /** Symbols that `execute` needs, then those that `revert` needs, without injected ones. */
  get requires(): ReadonlySet<string> {
    return requiredBy({ mapping: this.executeMapping, requires: this.ownRequires });
  }

  /** Runs before `execute`. What it throws is the atom's failure. */
  preExecute(): void | Promise<void> {}

  /** Runs after `execute`, whatever became of it. */
  postExecute(): void | Promise<void> {}

  preRevert(): void | Promise<void> {}

  postRevert(): void | Promise<void> {}

  /** Name and version, in double quotes. */
  toString(): string {
    return `"${this.name}==${this.version}"`;
  }

  [inspect.custom](): string {
    return `<${this.constructor.name} ${this.toString()}>`;
  }
}

const NO_NAMES: ReadonlySet<string> = new Set();

function isSame(one: ArgumentMapping, other: ArgumentMapping): boolean {
  if (one.bindings.size !== other.bindings.size || one.optional.size !== other.optional.size) return false;
  const others = other.bindings.entries();
  for (const [argument, symbol] of one.bindings) {
    const next = others.next();
    if (next.done === true || next.value[0] !== argument || next.value[1] !== symbol) return false;
  }
  for (const symbol of one.optional) if (!other.optional.has(symbol)) return false;
  return true;
}

function resultCheck(atom: string, check: Check, saveAs: SaveAs): (result: unknown) => unknown {
  const [only] = saveAs;
  if (only !== undefined && only[1] === null) {
    const [name] = only;
    return (result) => {
      const checked = check({ [name]: result });
      return checked instanceof Promise ? checked.then((values) => values[name]) : checked[name];
    };
  }
  return (result) => {
    if (typeof result !== 'object' || result === null) {
      const keys = listed(saveAs.keys());
      // What a task returns may be a secret: it is not quoted.
      const got = result === null ? 'null' : typeof result;
      throw new TypeError(`execute of ${atom} has to return an object with ${keys}, got ${got}`);
    }
    const entries: Iterable<[string, unknown]> = result instanceof Map ? result : Object.entries(result);
    return check(Object.fromEntries(entries));
  };
}

function readVersion(atom: string, version: string | undefined): string {
  if (version === undefined) return '1.0';
  if (typeof version !== 'string' || !VERSION.test(version)) {
    throw new RangeError(`version of ${atom} takes numbers with dots between them, such as 1.0, got ${shown(version)}`);
  }
  return version;
}

function readPriority(atom: string, priority: number | undefined): number {
  if (priority === undefined) return 0;
  if (typeof priority !== 'number' || Number.isNaN(priority)) {
    throw new TypeError(`priority of ${atom} takes a number, got ${shown(priority)}`);
  }
  return priority;
}

function readInject(
  atom: string,
  inject: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (inject === undefined) return undefined;
  if (!isPlainObject(inject)) {
    throw new TypeError(`inject of ${atom} takes an object from symbol to value, got ${shown(inject)}`);
  }
  return Object.freeze(bareCopy(inject));
}
