import {
  type ArgumentList,
  isGiven,
  type MappedArguments,
  mapArguments,
  mapInOrder,
  type MappingRequest,
  rebindPairs,
} from './arguments.js';
import type { AtomDefaults, AtomOptions } from './atom-options.js';
import { readNames } from './names.js';

/** What `revert` gets from the engine. */
const RESERVED = ['result', 'flowFailures'];
const ANYTHING: ArgumentList = { rest: true };

/** Where the arguments of both methods of an atom come from. */
export interface AtomMappings {
  readonly execute: MappedArguments;
  readonly revert: MappedArguments;
}

/**
 * Reads what an atom's options and class say about arguments.
 *
 * @param requires - The names in the option `requires`.
 * @param optional - The names in the option `optional`.
 */
export function mapBothMethods(
  atom: string,
  options: AtomOptions,
  defaults: AtomDefaults,
  requires: readonly string[],
  optional: readonly string[],
): AtomMappings {
  if (optional.length === 0 && saysNoMore(options, defaults)) {
    const both = requires.some((name) => isReserved(name, defaults)) ? null : mapInOrder(requires, options.rebind);
    if (both !== null) return { execute: both, revert: both };
  }
  const ignore = withNames(defaults.reserved, options.ignore);
  const isIgnored = requires.some((name) => ignore.has(name) || RESERVED.includes(name));
  const { execute, revert } = readSignature(atom, options, defaults, requires, optional, isIgnored);
  const injected = options.inject === undefined ? NO_NAMES : new Set(Object.keys(options.inject));
  const request = { atom, infer: options.autoExtract ?? true, injected, ignore };
  const executeMapped = mapArguments({ ...request, ...execute, method: 'execute' });
  if (isSame(execute, revert)) return { execute: executeMapped, revert: executeMapped };
  const ignoreInRevert = withNames(ignore, RESERVED);
  return {
    execute: executeMapped,
    revert: mapArguments({ ...request, ...revert, method: 'revert', ignore: ignoreInRevert }),
  };
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** Whether nothing is said about arguments but what is required and how it is rebound: so it is with most atoms. */
function saysNoMore(options: AtomOptions, { signature }: AtomDefaults): boolean {
  return (
    signature.execute === undefined &&
    signature.revert === undefined &&
    options.signature === undefined &&
    options.autoExtract !== false &&
    options.ignore === undefined &&
    options.inject === undefined &&
    options.revertRequires === undefined &&
    options.revertOptional === undefined &&
    options.revertRebind === undefined
  );
}

function isReserved(name: string, { reserved }: AtomDefaults): boolean {
  return reserved.has(name) || RESERVED.includes(name);
}

function withNames(names: ReadonlySet<string>, more: readonly string[] | undefined): ReadonlySet<string> {
  return more === undefined || more.length === 0 ? names : new Set([...names, ...more]);
}

type MethodSignature = Pick<MappingRequest, 'parameters' | 'requires' | 'rebind'>;

/**
 * The parameters of both methods, declared or taken from what is required, and how they are rebound.
 *
 * @param isIgnored - Whether a name that is required is no parameter of one of the methods.
 */
function readSignature(
  atom: string,
  options: AtomOptions,
  defaults: AtomDefaults,
  requires: readonly string[],
  optional: readonly string[],
  isIgnored: boolean,
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
      rebind:
        revertRebind ??
        (inherited && (isIgnored || revertRequires !== requires)
          ? new Map(rebindPairs(atom, inherited, requires))
          : inherited),
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
