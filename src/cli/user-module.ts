import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Task } from '../atoms/task.js';
import type { FlowFactory, FactoryRegistry } from '../engines/factories.js';
import { knownFactories } from '../engines/factories.js';
import { Flow } from '../flows/flow.js';
import { nearestName } from '../nearest-name.js';
import { UsageError } from './usage-error.js';

/** A module that a person wrote, and which of its exports is meant. */
export interface ModulePlace {
  readonly path: string;
  readonly exportName: string;
}

/** A module that was imported, with what makes its flow. */
export interface UserModule extends ModulePlace {
  /** What the run keeps, so that it can be resumed: the URL of the file, `#` and the name of the export. */
  readonly name: string;
  /** null where the export is a flow that is made already. */
  readonly factory: FlowFactory | null;
  /** Knows the factory under `name`, and those that the module has registered. */
  readonly factories: FactoryRegistry;
}

/** Whether a text means a module rather than a run: the file is there, or it is written like one. */
export function isModuleText(text: string, cwd: string): boolean {
  return existsSync(placeOf(text, cwd).path) || /[/\\]|\.[cm]?[jt]s(#|$)/.test(text);
}

/** Takes `path` or `path#export` apart. */
export function placeOf(text: string, cwd: string): ModulePlace {
  const whole = resolve(cwd, text);
  const hash = text.lastIndexOf('#');
  if (hash < 0 || existsSync(whole)) return { path: whole, exportName: 'default' };
  return { path: resolve(cwd, text.slice(0, hash)), exportName: text.slice(hash + 1) };
}

/**
 * The module that a run was made from, as `UserModule.name` says it.
 *
 * @returns null for the name of a factory that somebody has to register. Nothing but files are modules here: a store
 * cannot have code run that is in the name itself.
 */
export function placeNamed(name: string): ModulePlace | null {
  const hash = name.lastIndexOf('#');
  if (hash < 0 || !name.startsWith('file:///')) return null;
  try {
    return { path: fileURLToPath(name.slice(0, hash)), exportName: name.slice(hash + 1) };
  } catch {
    return null;
  }
}

/**
 * Imports a module. What stands there is run.
 *
 * @throws {UsageError} when it is not there or cannot be loaded; `cause` says why.
 */
export async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  if (!existsSync(path)) throw new UsageError(`There is no module ${path}`);
  if (statSync(path).isDirectory()) throw new UsageError(`A module is a file, got the folder ${path}`);
  try {
    return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    const isTypeScript = /\.[cm]?tsx?$/.test(path);
    const hint = isTypeScript
      ? `: this Node.js, ${process.version}, loads TypeScript only as far as it can by itself. Build it first, or give Node.js a loader with NODE_OPTIONS`
      : '';
    throw new UsageError(`The module ${path} cannot be loaded${hint}`, { cause });
  }
}

/**
 * Imports a module whose export is a flow, a task, or a factory of one.
 *
 * @throws {UsageError} when it cannot be loaded, and when the export is something else.
 */
export async function loadModule({ path, exportName }: ModulePlace): Promise<UserModule> {
  const exports = await importModule(path);
  const found = exportOf(exports, exportName);
  const name = `${pathToFileURL(path).href}#${exportName}`;
  const where = `${path} (export ${exportName})`;
  const factories = knownFactories.copy();
  if (found instanceof Flow || found instanceof Task) {
    allow(factories, path, exportName, () => found);
    return { path, exportName, name, factory: null, factories };
  }
  if (typeof found !== 'function' || isClass(found)) throw noFlow(where, found, exports, exportName);
  const make = found as (...args: unknown[]) => unknown;
  const factory = (async (...args: unknown[]) => {
    const made = await make(...args);
    if (isForeign(made)) throw foreign(where);
    return made;
  }) as FlowFactory;
  allow(factories, path, exportName, factory);
  return { path, exportName, name, factory, factories };
}

function allow(factories: FactoryRegistry, path: string, exportName: string, factory: unknown): void {
  factories.allowModule(pathToFileURL(path).href, () => Promise.resolve({ [exportName]: factory }));
}

/** What a module exports under a name; of CommonJS that was compiled from ES modules, what its author called so. */
function exportOf(exports: Readonly<Record<string, unknown>>, name: string): unknown {
  const found = Object.hasOwn(exports, name) ? exports[name] : undefined;
  if (typeof found !== 'object' || found === null || !Object.hasOwn(found, '__esModule')) return found;
  return (found as Record<string, unknown>)['default'];
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && value.toString().startsWith('class');
}

/** Whether a value is a flow or a task of another copy of flowstate. */
function isForeign(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Flow || value instanceof Task) return false;
  for (let each: unknown = value; each !== null; each = Object.getPrototypeOf(each)) {
    const constructor: unknown = Reflect.get(Object(each), 'constructor');
    if (typeof constructor === 'function' && (constructor.name === Flow.name || constructor.name === Task.name)) {
      return true;
    }
  }
  return false;
}

function foreign(where: string): UsageError {
  return new UsageError(
    `${where} uses another copy of flowstate than this command. Call the one that is installed beside the module: ` +
      'npx flowstate, in its folder',
  );
}

function noFlow(where: string, found: unknown, exports: object, name: string): UsageError {
  if (isForeign(found)) return foreign(where);
  const others = Object.keys(exports);
  const meant = found === undefined ? nearestName(name, others) : null;
  const got = found === undefined ? 'it exports nothing of that name' : `it is ${kindOf(found)}`;
  const hint = meant === null ? '' : `; did you mean ${meant}?`;
  const there = others.length === 0 || found !== undefined ? '' : `, only ${others.join(', ')}`;
  return new UsageError(`${where} has to be a flow, a task, or a function that makes one: ${got}${there}${hint}`);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (isClass(value)) return 'a class';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
