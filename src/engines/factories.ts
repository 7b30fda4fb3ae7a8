import { isPlainObject, shown } from '../atoms/arguments.js';
import { Task } from '../atoms/task.js';
import { DuplicateError, InvalidFormatError, NotFoundError } from '../errors.js';
import { Flow } from '../flows/flow.js';
import { nearestName } from '../nearest-name.js';
import { jsonCodec } from '../persistence/codecs/json.js';
import type { FlowDetail } from '../persistence/details.js';

/** Makes a flow from plain data. Called again with the same arguments, it has to make the same flow. */
export type FlowFactory = (...args: never[]) => Flow | Task | Promise<Flow | Task>;

/** What a factory is called with: plain data that survives JSON. */
export interface FactoryArguments {
  /** @default [] */
  readonly args?: readonly unknown[] | undefined;
  /** Named arguments: an object that is passed after the others. Default: none is passed. */
  readonly kwargs?: Readonly<Record<string, unknown>> | undefined;
}

/** How a run knows what makes its flow. Kept in its metadata under `factory`. */
export interface FactoryDetails {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
}

/** The key of a run's metadata. */
const FACTORY = 'factory';

/** Gives a module. Default: the specifier is imported. */
export type ModuleLoader = () => Promise<object>;

/**
 * The factories that runs may name, so that any process can make their flows again.
 *
 * A name is looked up, never evaluated: a stored run cannot have any other code called.
 */
export class FactoryRegistry {
  readonly #factories: Map<string, FlowFactory>;
  readonly #modules: Map<string, ModuleLoader>;

  constructor(
    factories: Iterable<readonly [string, FlowFactory]> = [],
    modules: Iterable<readonly [string, ModuleLoader]> = [],
  ) {
    this.#factories = new Map(factories);
    this.#modules = new Map(modules);
  }

  /**
   * Gives a factory a name, such as `billing/make-invoice@1`. A version in it tells stored runs apart.
   *
   * @returns Disposing it ends the registration.
   * @throws {DuplicateError} for a name that is taken by another function, unless it is to be replaced.
   * @throws {RangeError} for a name that is empty or has a `#`, which stands between a module and its export.
   */
  register(name: string, factory: FlowFactory, { replace = false }: { readonly replace?: boolean } = {}): Disposable {
    if (typeof name !== 'string' || name === '' || name.includes('#')) {
      throw new RangeError(`The name of a factory takes text that is not empty, without '#', got ${shown(name)}`);
    }
    if (typeof factory !== 'function')
      throw new TypeError(`The factory ${name} takes a function, got ${shown(factory)}`);
    const before = this.#factories.get(name);
    if (before !== undefined && before !== factory && !replace) {
      throw new DuplicateError(`There is a factory named ${JSON.stringify(name)} already`);
    }
    this.#factories.set(name, factory);
    return {
      [Symbol.dispose]: () => {
        if (this.#factories.get(name) === factory) this.#factories.delete(name);
      },
    };
  }

  /**
   * Lets runs name exports of a module, as `specifier#exportName`. It is imported when the first one is asked for.
   *
   * @param specifier - A package, or the URL of a file: something that means the same wherever it is imported from.
   * @param load - Imports it, as seen from the caller: `() => import('./flows.js')`. Default: imports the specifier.
   * @throws {RangeError} for a relative specifier without `load`.
   */
  allowModule(specifier: string, load?: ModuleLoader): void {
    if (typeof specifier !== 'string' || specifier === '' || specifier.includes('#')) {
      throw new RangeError(`A module takes a specifier that is not empty, without '#', got ${shown(specifier)}`);
    }
    if (load === undefined && /^\.{0,2}\//.test(specifier)) {
      throw new RangeError(
        `A module takes a package or a URL where it is to be imported by its specifier, got ${JSON.stringify(specifier)}`,
      );
    }
    this.#modules.set(specifier, load ?? (() => import(/* @vite-ignore */ specifier) as Promise<object>));
  }

  /** Sorted. */
  get names(): readonly string[] {
    return [...this.#factories.keys()].sort();
  }

  /** What is registered in the copy is not in this one, nor the other way round. */
  copy(): FactoryRegistry {
    return new FactoryRegistry(this.#factories, this.#modules);
  }

  /** The name under which a function is registered. */
  nameOf(factory: FlowFactory): string | null {
    for (const [name, known] of this.#factories) if (known === factory) return name;
    return null;
  }

  /**
   * The factory of a name.
   *
   * @throws {NotFoundError} for a name that nobody registered, a module that is not allowed or cannot be imported, and
   * an export that is no function.
   */
  async resolve(name: string): Promise<FlowFactory> {
    const hash = name.lastIndexOf('#');
    if (hash >= 0) return this.#import(name.slice(0, hash), name.slice(hash + 1));
    const factory = this.#factories.get(name);
    if (factory !== undefined) return factory;
    const meant = nearestName(name, this.names);
    throw new NotFoundError(
      `There is no factory named ${JSON.stringify(name)}` +
        (meant === null ? ': register it with registerFactory()' : `; did you mean ${meant}?`),
    );
  }

  async #import(specifier: string, exportName: string): Promise<FlowFactory> {
    const load = this.#modules.get(specifier);
    if (load === undefined) {
      throw new NotFoundError(
        `Factories of the module ${JSON.stringify(specifier)} are not allowed: allow it with allowFactoryModule()`,
      );
    }
    let module: object;
    try {
      module = await load();
    } catch (cause) {
      throw new NotFoundError(`The module ${JSON.stringify(specifier)} of a factory cannot be imported`, { cause });
    }
    const found: unknown = Object.hasOwn(module, exportName) ? Reflect.get(module, exportName) : undefined;
    if (typeof found === 'function') return found as FlowFactory;
    throw new NotFoundError(
      `The module ${JSON.stringify(specifier)} exports no function ${JSON.stringify(exportName)}`,
    );
  }
}

/** Where factories are looked up unless another registry is given. */
export const knownFactories = new FactoryRegistry();

/** Gives a factory a name in the registry that all functions use by default. @see FactoryRegistry.register */
export function registerFactory(
  name: string,
  factory: FlowFactory,
  options?: { readonly replace?: boolean },
): Disposable {
  return knownFactories.register(name, factory, options);
}

/** Allows a module in the registry that all functions use by default. @see FactoryRegistry.allowModule */
export function allowFactoryModule(specifier: string, load?: ModuleLoader): void {
  knownFactories.allowModule(specifier, load);
}

/** A factory that any process can find, and what it is called with. */
export interface FoundFactory {
  readonly factory: FlowFactory;
  readonly details: FactoryDetails;
}

/**
 * Checks that another process can make the same flow.
 *
 * @param factory - A registered function, its name, or `module-specifier#exportName` of an allowed module.
 * @throws {RangeError} for a function that is not registered.
 * @throws {NotFoundError} for a name that means nothing.
 * @throws {UnstorableValueError} for arguments that do not survive JSON.
 * @throws {TypeError} for anything else.
 */
export async function findFactory(
  factory: FlowFactory | string,
  { args = [], kwargs }: FactoryArguments,
  registry: FactoryRegistry,
): Promise<FoundFactory> {
  if (!Array.isArray(args)) throw new TypeError(`args takes a list, got ${shown(args)}`);
  if (kwargs !== undefined && !isPlainObject(kwargs)) {
    throw new TypeError(`kwargs takes an object, got ${shown(kwargs)}`);
  }
  const name = typeof factory === 'function' ? registry.nameOf(factory) : factory;
  if (name === null) {
    throw new RangeError(
      `factory takes a function that is registered, so that it can be found again by name, got ${shown(factory)}: ` +
        'call registerFactory() first',
    );
  }
  if (typeof name !== 'string') throw new TypeError(`factory takes a function or a name, got ${shown(name)}`);
  const given = kwargs === undefined ? { name, args } : { name, args, kwargs };
  // What is kept is what it is called with, here and when the run is resumed.
  const details = jsonCodec.decode(jsonCodec.encode(given)) as FactoryDetails;
  return { factory: await registry.resolve(name), details };
}

/** Calls a factory. @throws {TypeError} when it makes neither a flow nor a task. */
export async function makeFlow({ factory, details }: FoundFactory): Promise<Flow | Task> {
  const { name, args, kwargs } = structuredClone(details);
  const call = factory as (...args: unknown[]) => unknown;
  const flow = await call(...args, ...(kwargs === undefined ? [] : [kwargs]));
  if (flow instanceof Flow || flow instanceof Task) return flow;
  throw new TypeError(`The factory ${name} has to make a flow or a task, got ${shown(flow)}`);
}

/** Metadata with what makes the flow of a run. */
export function withFactory(meta: FlowDetail['meta'], details: FactoryDetails): FlowDetail['meta'] {
  return { ...meta, [FACTORY]: details };
}

/**
 * What makes the flow of a run.
 *
 * @throws {RangeError} for a run that was not stored with a factory.
 * @throws {InvalidFormatError} for one whose details of it are corrupted.
 */
export function factoryDetailsOf({ name: flow, uuid, meta }: FlowDetail): FactoryDetails {
  const details: unknown = Object.hasOwn(meta, FACTORY) ? meta[FACTORY] : undefined;
  if (details === undefined || details === null) {
    throw new RangeError(`The run ${uuid} of ${flow} takes its flow from its caller: it was not stored with a factory`);
  }
  const { name, args = [], kwargs } = Object(details) as Partial<Record<keyof FactoryDetails, unknown>>;
  const hasKwargs = kwargs !== undefined && kwargs !== null;
  if (typeof name !== 'string' || !Array.isArray(args) || (hasKwargs && typeof kwargs !== 'object')) {
    throw new InvalidFormatError(
      `The factory of the run ${uuid} of ${flow} is corrupted: it takes a name, args and kwargs`,
    );
  }
  return {
    name,
    args: args as unknown[],
    ...(hasKwargs ? { kwargs: kwargs as Readonly<Record<string, unknown>> } : {}),
  };
}
