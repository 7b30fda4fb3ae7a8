import { DuplicateError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { shown } from './arguments.js';
import { Task } from './task.js';

/** How a task is called where it cannot be handed over: the name that it is registered by, and what it is made from. */
export interface TaskAddress {
  readonly name: string;
  readonly version: string;
  /** Plain data. */
  readonly parameters: readonly unknown[];
}

export type TaskClass = new (...parameters: never[]) => Task;

/** A function that makes tasks, here as in a thread or in another process. */
export interface TaskFactory<Parameters extends readonly unknown[] = never, Made extends Task = Task> {
  (...parameters: Parameters): Made;
  /** What its tasks are registered by. */
  readonly taskName: string;
}

/** Whatever can be registered: one task, a class of tasks, or what makes tasks. */
export type RegisteredTask = Task | TaskClass | TaskFactory;

const MADE = Symbol('made by a factory');

/** What is kept of how a task was made. */
interface Making {
  readonly factory: TaskFactory;
  readonly parameters: readonly unknown[];
}

/**
 * Makes a function that makes tasks which threads and other processes can make as well.
 *
 * ```ts
 * export const resizeTo = taskFactory('resizeTo', (width: number) =>
 *   task({ name: `resize to ${width}`, requires: ['image'], execute: ({ image }) => resize(image, width) }),
 * );
 * ```
 *
 * @param name - What the tasks are registered by, whatever each of them is called.
 * @param make - Gets plain data; what it makes from the same data does the same.
 */
export function taskFactory<Parameters extends readonly unknown[], Made extends Task>(
  name: string,
  make: (...parameters: Parameters) => Made,
): TaskFactory<Parameters, Made> {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`name of a task factory takes text that is not empty, got ${shown(name)}`);
  }
  const factory: TaskFactory<Parameters, Made> = Object.assign(
    (...parameters: Parameters): Made => {
      const making: Making = { factory, parameters };
      return Object.defineProperty(make(...parameters), MADE, { value: making, configurable: true });
    },
    { taskName: name },
  );
  return factory;
}

function makingOf(task: Task): Making | undefined {
  return (task as { [MADE]?: Making })[MADE];
}

/** The address of a task: where another process finds it, if it is registered there. */
export function addressOf(task: Task): TaskAddress {
  const { version } = task;
  const making = makingOf(task);
  if (making !== undefined) return { name: making.factory.taskName, version, parameters: making.parameters };
  const ownClass = task.constructor as typeof Task;
  if (ownClass.isOneOfAKind) return { name: task.name, version, parameters: [] };
  return { name: classNameOf(ownClass), version, parameters: task.constructionParameters() };
}

function classNameOf({ typeName, name }: { readonly typeName: string | undefined; readonly name: string }): string {
  return typeName ?? name;
}

interface Entry {
  readonly registered: RegisteredTask;
  /** null: it makes tasks of any version. */
  readonly version: string | null;
  readonly make: (parameters: readonly unknown[]) => Task;
}

/** What is registered by one name. */
export interface Listing {
  readonly name: string;
  /** null where tasks of any version are made. */
  readonly versions: readonly (string | null)[];
}

/** The tasks that can be found by name and version. */
export class TaskRegistry {
  readonly #entries = new Map<string, Entry[]>();

  /**
   * Registers a task by its name, a class by its `typeName` or name, what a factory makes by the name of the factory.
   * A task that a class or a factory made stands for these.
   *
   * @throws {TypeError} for anything else, and for a class without a name.
   * @throws {DuplicateError} when something else is registered by the same name and version.
   */
  register(given: RegisteredTask): void {
    const registered = given instanceof Task ? sourceOf(given) : given;
    const name = registeredName(registered);
    if (name === null) {
      throw new TypeError(`registerTask takes a task, a class of tasks or a task factory, got ${shown(registered)}`);
    }
    if (name === '') throw new TypeError('registerTask takes a class with a name, or with a typeName');
    const entry = entryOf(registered);
    const entries = this.#entries.get(name) ?? [];
    const other = entries.find(
      ({ version }) => version === entry.version || version === null || entry.version === null,
    );
    if (other?.registered === registered) return;
    if (other !== undefined)
      throw new DuplicateError(`Another task is registered as ${described(name, entry.version)}`);
    this.#entries.set(name, [...entries, entry]);
  }

  /** Registers everything among the exports of a module that can be. @returns how many there were. */
  registerExports(exported: Readonly<Record<string, unknown>>): number {
    const found = Object.values(exported).filter(isRegistrable);
    for (const value of found) this.register(value);
    return found.length;
  }

  /** What is registered by a name, in a version of `listings`. */
  registered(name: string, version: string | null): RegisteredTask | undefined {
    return this.#entries.get(name)?.find((each) => each.version === version)?.registered;
  }

  /**
   * @throws {RangeError} when nothing is registered at the address.
   * @throws what making it throws.
   */
  make({ name, version, parameters }: TaskAddress): Task {
    const entry = this.#entries.get(name)?.find((each) => each.version === null || each.version === version);
    if (entry === undefined) throw new RangeError(whyMissing({ name, version }, this.listings()) ?? name);
    return entry.make(parameters);
  }

  listings(): Listing[] {
    return [...this.#entries].map(([name, entries]) => listingOf(name, entries));
  }

  /** What is registered by one name; null for none. */
  listing(name: string): Listing | null {
    const entries = this.#entries.get(name);
    return entries === undefined ? null : listingOf(name, entries);
  }
}

function listingOf(name: string, entries: readonly Entry[]): Listing {
  return { name, versions: entries.map(({ version }) => version) };
}

const registry = new TaskRegistry();

/**
 * Lets threads and processes find a task that its module does not export: call it in one of the `taskModules`.
 *
 * @throws {TypeError} for anything but a task, a class of tasks or a task factory.
 * @throws {DuplicateError} when something else is registered by the same name and version.
 */
export function registerTask(registered: RegisteredTask): void {
  registry.register(registered);
}

/** What `registerTask` registered in this process or thread. */
export function registeredTasks(): TaskRegistry {
  return registry;
}

/** Says why an address leads nowhere; null when it leads to a task. */
export function whyMissing(
  { name, version }: Pick<TaskAddress, 'name' | 'version'>,
  listings: readonly Listing[],
): string | null {
  const found = listings.find((listing) => listing.name === name);
  if (found?.versions.some((each) => each === null || each === version) === true) return null;
  if (found !== undefined) {
    return `${described(name, version)} is not registered, but version ${found.versions.join(', ')} of it`;
  }
  const names = listings.map((listing) => listing.name);
  const meant = nearestName(name, names);
  const known = names.length === 0 ? 'nothing is' : `registered are ${names.join(', ')}`;
  return `${described(name, version)} is not registered; ${known}${meant === null ? '' : `; did you mean ${meant}?`}`;
}

function described(name: string, version: string | null): string {
  return version === null ? `'${name}'` : `'${name}' version ${version}`;
}

function isRegistrable(value: unknown): value is RegisteredTask {
  return value instanceof Task || isTaskClass(value) || isFactory(value);
}

/** What makes the task again: its factory, its class, or nothing but itself. */
function sourceOf(task: Task): RegisteredTask {
  const ownClass = task.constructor as typeof Task & TaskClass;
  return makingOf(task)?.factory ?? (ownClass.isOneOfAKind ? task : ownClass);
}

function registeredName(registered: RegisteredTask): string | null {
  if (registered instanceof Task) return registered.name;
  if (isFactory(registered)) return registered.taskName;
  return isTaskClass(registered) ? classNameOf(registered as unknown as typeof Task) : null;
}

function entryOf(registered: RegisteredTask): Entry {
  if (registered instanceof Task) return { registered, version: registered.version, make: () => registered };
  if (isFactory(registered)) return { registered, version: null, make: (given) => registered(...(given as never)) };
  const TasksOwnClass = registered;
  return { registered, version: null, make: (given) => new TasksOwnClass(...(given as never[])) };
}

function isFactory(value: unknown): value is TaskFactory {
  return typeof value === 'function' && typeof (value as Partial<TaskFactory>).taskName === 'string';
}

function isTaskClass(value: unknown): value is TaskClass {
  return typeof value === 'function' && (value as { prototype?: unknown }).prototype instanceof Task;
}
