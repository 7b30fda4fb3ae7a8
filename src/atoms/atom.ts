import { inspect } from 'node:util';
import {
  type ArgumentList,
  type ArgumentMapping,
  bareCopy,
  isGiven,
  isPlainObject,
  mapArguments,
  type MappingRequest,
  type Rebind,
  rebindPairs,
  shown,
} from './arguments.js';
import { type Names, readNames } from './names.js';
import { type Provides, readProvides, type SaveAs } from './provides.js';
import { checkOf } from './validators.js';

/** The parameters of both methods, as an atom's author declares them. */
export interface Signature {
  readonly execute?: ArgumentList;
  /** `result`, `flowFailures` and `history` come by themselves. Default: takes what is passed. */
  readonly revert?: ArgumentList;
}

/** How one atom is wired up. */
export interface AtomOptions {
  readonly name?: string | undefined;
  /** Required arguments. Without a `signature` they are the parameters of `execute` and `revert`. */
  readonly requires?: Names | undefined;
  /** Arguments that are left out when there is no value. */
  readonly optional?: Names | undefined;
  /** What the results are called. Default: the class's `defaultProvides`, or nothing. */
  readonly provides?: Provides | null | undefined;
  /** Symbols for arguments, where their names differ. */
  readonly rebind?: Rebind | undefined;
  /** Values only this atom sees, by symbol. */
  readonly inject?: Readonly<Record<string, unknown>> | undefined;
  /** Required arguments of `revert`. Default, also when empty: `requires`. */
  readonly revertRequires?: Names | undefined;
  /** Optional arguments of `revert`. Default: `optional`. */
  readonly revertOptional?: Names | undefined;
  /** Default, also when empty: `rebind`. */
  readonly revertRebind?: Rebind | undefined;
  /** The parameters that the methods declare, apart from what this instance requires. */
  readonly signature?: Signature | undefined;
  /** Whether declared parameters become arguments by themselves. @default true */
  readonly autoExtract?: boolean | undefined;
  /** Parameters that never become arguments by themselves. */
  readonly ignore?: readonly string[] | undefined;
  /** Of those that can run, the atom with the highest is started first. @default 0 */
  readonly priority?: number | undefined;
  /** Kept with each run, to tell plans apart. @default '1.0' */
  readonly version?: string | undefined;
}

/** What the kind of atom and its class add to the options. */
export interface AtomDefaults {
  readonly kind: 'task' | 'retry';
  readonly name: string;
  readonly signature: Signature;
  readonly provides: Provides | null | undefined;
  /** Whether `execute` takes arguments that nobody declared. */
  readonly rest: boolean;
  /** Names that the engine fills in, and nobody provides. */
  readonly reserved: ReadonlySet<string>;
}

/** What `revert` gets from the engine. */
const RESERVED = ['result', 'flowFailures'];
const ANYTHING: ArgumentList = { rest: true };
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
  /** Symbols that `execute` needs, then those that `revert` needs, without injected ones. */
  readonly requires: ReadonlySet<string>;
  readonly executeMapping: ArgumentMapping;
  readonly revertMapping: ArgumentMapping;
  readonly inject: Readonly<Record<string, unknown>> | undefined;
  /** Checks the arguments of `execute` and gives those to call it with. Present when there are validators. */
  readonly checkArguments?: (
    args: Record<string, unknown>,
  ) => Record<string, unknown> | Promise<Record<string, unknown>>;
  /** Checks what `execute` returned and gives what is kept. Present when there are validators. */
  readonly checkResult?: (result: unknown) => unknown;

  protected constructor(options: AtomOptions, defaults: AtomDefaults) {
    const name = defaults.name;
    const atom = name === '' ? `a ${defaults.kind} without a name` : `${defaults.kind} '${name}'`;
    this.version = readVersion(atom, options.version);
    this.priority = readPriority(atom, options.priority);
    this.inject = readInject(atom, options.inject);

    const provided = readProvides(atom, options.provides === undefined ? defaults.provides : options.provides);
    this.saveAs = provided.saveAs;
    this.provides = new Set(provided.saveAs.keys());
    if (provided.validators !== undefined) {
      const check = checkOf(atom, 'result', provided.validators);
      if (check !== undefined) this.checkResult = resultCheck(check, this.saveAs);
    }

    const requires = readNames(atom, 'requires', options.requires);
    const optional = readNames(atom, 'optional', options.optional);
    if (requires.validators.size + optional.validators.size > 0) {
      const check = checkOf(atom, 'argument', new Map([...requires.validators, ...optional.validators]));
      if (check !== undefined) this.checkArguments = check;
    }

    const signature = readSignature(atom, options, defaults, requires.names, optional.names);
    const injected = this.inject === undefined ? NO_NAMES : new Set(Object.keys(this.inject));
    const infer = options.autoExtract ?? true;
    const request = { atom, infer, injected, ignore: withNames(defaults.reserved, options.ignore) };
    const execute = mapArguments({ ...request, ...signature.execute, method: 'execute' });
    const revert = isSame(signature.execute, signature.revert)
      ? execute
      : mapArguments({
          ...request,
          ...signature.revert,
          method: 'revert',
          ignore: withNames(request.ignore, RESERVED),
        });
    this.executeMapping = execute.mapping;
    this.revertMapping = revert.mapping;
    this.requires = revert === execute ? execute.requires : new Set([...execute.requires, ...revert.requires]);
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

function withNames(names: ReadonlySet<string>, more: readonly string[] | undefined): ReadonlySet<string> {
  return more === undefined || more.length === 0 ? names : new Set([...names, ...more]);
}

type MethodSignature = Pick<MappingRequest, 'parameters' | 'requires' | 'rebind'>;

/** The parameters of both methods, declared or taken from what is required, and how they are rebound. */
function readSignature(
  atom: string,
  options: AtomOptions,
  defaults: AtomDefaults,
  requires: readonly string[],
  optional: readonly string[],
): { readonly execute: MethodSignature; readonly revert: MethodSignature } {
  const revertNames = readNames(atom, 'revertRequires', options.revertRequires).names;
  const revertRequires = revertNames.length > 0 ? revertNames : requires;
  const revertOptional = readNames(atom, 'revertOptional', options.revertOptional).names;
  const rebind = options.rebind ?? undefined;
  const revertRebind = isGiven(options.revertRebind) ? options.revertRebind : undefined;
  const inherited = isGiven(rebind) ? rebind : undefined;
  const declared = options.signature?.execute ?? defaults.signature.execute;
  const declaredRevert = options.signature?.revert ?? defaults.signature.revert;

  if (declared !== undefined) {
    return {
      execute: { parameters: withOptional(declared, optional), requires, rebind },
      revert: {
        parameters: withOptional(declaredRevert ?? ANYTHING, revertOptional),
        requires: revertRequires,
        rebind: revertRebind ?? inherited,
      },
    };
  }
  return {
    execute: { parameters: { required: requires, optional, rest: defaults.rest }, requires, rebind },
    revert: {
      parameters: declaredRevert ?? {
        required: revertRequires,
        optional: revertOptional.length > 0 ? revertOptional : optional,
        // An inherited rebind may name arguments that only execute has.
        rest: revertRebind === undefined || defaults.rest,
      },
      requires: revertRequires,
      // By position it is about the parameters of execute, whatever those of revert are.
      rebind: revertRebind ?? (inherited && new Map(rebindPairs(atom, inherited, requires))),
    },
  };
}

/** Whether both methods get the same. It saves half of the work, and of the memory, for most tasks. */
function isSame(execute: MethodSignature, revert: MethodSignature): boolean {
  return (
    execute.rebind === revert.rebind &&
    execute.requires === revert.requires &&
    execute.parameters.required === revert.parameters.required &&
    execute.parameters.optional === revert.parameters.optional &&
    execute.parameters.required === execute.requires &&
    !RESERVED.some((name) => execute.parameters.optional?.includes(name))
  );
}

function withOptional(parameters: ArgumentList, optional: readonly string[]): ArgumentList {
  if (optional.length === 0) return parameters;
  return { ...parameters, optional: [...(parameters.optional ?? []), ...optional] };
}

function resultCheck(
  check: (values: Record<string, unknown>) => Record<string, unknown> | Promise<Record<string, unknown>>,
  saveAs: SaveAs,
): (result: unknown) => unknown {
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
      throw new TypeError(
        `execute has to return an object with ${[...saveAs.keys()].join(', ')}, got ${shown(result)}`,
      );
    }
    return check(Object.fromEntries(Object.entries(result)));
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
