import { shown } from '../../atoms/arguments.js';
import type { Listing, RegisteredTask, TaskAddress } from '../../atoms/task-registry.js';
import { registeredTasks, TaskRegistry, whyMissing } from '../../atoms/task-registry.js';
import { Task } from '../../atoms/task.js';
import { NotFoundError } from '../../errors.js';
import { moduleUrl } from '../../executors/pool/options.js';
import { compatibleVersion, incompatible } from '../versions.js';

/**
 * What a worker may run: a module that was imported, a task, a class of tasks, a task factory, or text: a module such as
 * `./tasks.js` with all tasks that it exports or registers, or one of its exports, such as `./tasks.js:charge`.
 */
export type TaskItem = string | RegisteredTask | Readonly<Record<string, unknown>>;

const ONE_EXPORT = /^(.+):([A-Za-z_$][\w$]*)$/s;

/** The tasks that a worker runs, and no others: a message names one of them, and nothing that it says is loaded. */
export class AllowList {
  readonly #registry = new TaskRegistry();
  /** What factories and classes made: some give the same one again. */
  readonly #made = new WeakSet<Task>();

  get listings(): readonly Listing[] {
    return this.#registry.listings();
  }

  /** @throws {TypeError} for what is no task. @throws {NotFoundError} for a module or an export that cannot be found. */
  async add(item: TaskItem): Promise<void> {
    if (typeof item === 'string') await this.#addText(item);
    else if (item instanceof Task || typeof item === 'function') this.#registry.register(item);
    else if (typeof item === 'object' && (item as unknown) !== null) this.#addModule(item, 'a module');
    else throw new TypeError(`tasks takes modules, tasks, classes of tasks and task factories, got ${shown(item)}`);
  }

  async #addText(text: string): Promise<void> {
    const [, path, name] = ONE_EXPORT.exec(text) ?? [];
    if (path === undefined || name === undefined) {
      const { exports, registered } = await imported(text);
      if (registered.length === 0) this.#addModule(exports, text);
      else this.#registry.registerExports(exports);
      for (const listing of registered) this.#adopt(listing);
      return;
    }
    const exported = (await imported(path)).exports[name];
    if (exported === undefined) throw new NotFoundError(`The module ${path} exports nothing named ${name}`);
    this.#registry.register(exported as RegisteredTask);
  }

  #addModule(exported: Readonly<Record<string, unknown>>, what: string): void {
    if (this.#registry.registerExports(exported) > 0) return;
    throw new TypeError(`tasks takes modules with tasks, got ${what} without`);
  }

  /** Takes over what a module registered by itself. */
  #adopt({ name, versions }: Listing): void {
    for (const version of versions) {
      const source = registeredTasks().registered(name, version);
      if (source !== undefined) this.#registry.register(source);
    }
  }

  /**
   * Makes the task of an address: of the very version, or of the latest that has the same major version.
   *
   * @throws {NotFoundError} for a name that is not in the list.
   * @throws {IncompatibleVersionError} when there is only another major version.
   * @throws what making it throws.
   */
  make(address: TaskAddress): Task {
    const listing = this.#registry.listing(address.name);
    if (listing === null)
      throw new NotFoundError(`This worker runs no such task: ${whyMissing(address, this.listings)}`);
    const version = compatibleVersion(address.version, listing.versions);
    if (version === undefined) throw incompatible(address, listing.versions);
    const made = this.#registry.make({ ...address, version: version ?? address.version });
    // One that stands for itself each time is copied: what listens to one run must not hear another.
    const isShared = this.#registry.registered(address.name, version) === made || this.#made.has(made);
    if (isShared) return made.copy({ retainListeners: false });
    this.#made.add(made);
    return made;
  }
}

interface Loaded {
  readonly exports: Readonly<Record<string, unknown>>;
  /** What the module registered by itself when it was loaded for a list. */
  readonly registered: readonly Listing[];
}

const loaded = new Map<string, Promise<Loaded>>();

async function imported(module: string): Promise<Loaded> {
  const url = moduleUrl(module);
  let known = loaded.get(url);
  if (known === undefined) {
    known = load(url);
    loaded.set(url, known);
    known.catch(() => loaded.delete(url));
  }
  try {
    return await known;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new NotFoundError(`The task module ${module} cannot be loaded: ${why}`, { cause });
  }
}

async function load(url: string): Promise<Loaded> {
  const names = () => registeredTasks().listings();
  const before = new Set(names().map(({ name }) => name));
  const exports = (await import(url)) as Readonly<Record<string, unknown>>;
  return { exports, registered: names().filter(({ name }) => !before.has(name)) };
}
