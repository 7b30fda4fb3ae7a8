import mitt from 'mitt';
import type { Emitter } from 'mitt';
import { copyOf } from '../hidden-property.js';

/** Registers for every event. */
export const ANY = '*';

/** Hears of an event. What it returns is ignored, and a promise is not waited for. */
export type Listener<Details> = (event: string, details: Details) => unknown;

export interface RegistrationOptions<Details> {
  /** The listener hears only of events for whose details this is true. */
  readonly filter?: ((details: Details) => boolean) | undefined;
}

/** The type declarations of mitt read as those of a CommonJS module; what is imported is the function itself. */
const createEmitter = mitt as unknown as typeof mitt.default;

/** What mitt hands to each handler. */
interface Occurrence<Details> {
  readonly event: string;
  readonly details: Details | undefined;
}

/** A handler that mitt keeps, with what it was made for. */
interface Registration<Details> {
  (occurrence: Occurrence<Details>): void;
  readonly listener: Listener<Details>;
  readonly filter: ((details: Details) => boolean) | undefined;
}

/** In place of mitt's own wildcard, whose handlers come last and would hear of an event during which they registered. */
const EVERY = Symbol('every event');
type EventKey = string | typeof EVERY;

/**
 * Tells listeners of events, in the order in which they registered, those of every event first.
 *
 * Each listener gets a shallow copy of the details. Who is told is settled before the first is called. What a listener
 * or its filter throws, and what its promise rejects with, goes to `onListenerError` and to nobody else.
 *
 * Listeners are told apart by identity: deregister the function that was registered, not another `bind` of it.
 *
 * @see TaskFlow `types/notifier.py`, `Notifier`.
 */
export class Notifier<Details extends object = Record<string, unknown>> {
  /** Hears of what listeners throw. Belongs to the owner of the notifier; what it throws itself is dropped. */
  onListenerError: ((error: unknown, event: string) => void) | undefined;

  readonly #registrations = new Map<EventKey, Registration<Details>[]>();
  #emitter: Emitter<Record<EventKey, Occurrence<Details>>> | undefined;
  #size = 0;

  /** How many registrations there are. */
  get size(): number {
    return this.#size;
  }

  get hasListeners(): boolean {
    return this.#size > 0;
  }

  /** Whether listeners can be registered for the event. */
  canBeRegistered(event: string): boolean {
    return typeof event === 'string';
  }

  /** Whether `notify` tells anybody of the event: there is none called `*`. */
  canTrigger(event: string): boolean {
    return event !== ANY;
  }

  /**
   * Registers a listener for one event, or with `*` for all.
   *
   * @returns Disposing it deregisters the listener.
   * @throws {TypeError} when the listener or the filter is no function.
   * @throws {RangeError} when the event cannot be registered, or has this listener with this filter already.
   */
  register(event: string, listener: Listener<Details>, { filter }: RegistrationOptions<Details> = {}): Disposable {
    if (typeof listener !== 'function') throw new TypeError(`listener takes a function, got ${typeof listener}`);
    if (filter !== undefined && typeof filter !== 'function') {
      throw new TypeError(`filter takes a function, got ${typeof filter}`);
    }
    if (!this.canBeRegistered(event)) throw new RangeError(`event takes ${this.describeEvents()}, got ${event}`);
    if (this.registered(event, listener, { filter })) {
      throw new RangeError(`The listener is already registered for ${event} with the same filter`);
    }
    const registration = this.#add(keyOf(event), listener, filter);
    return { [Symbol.dispose]: () => void this.#remove(keyOf(event), registration) };
  }

  /** Whether the listener is registered with this filter under exactly this event; one for `*` is not one for all. */
  registered(event: string, listener: Listener<Details>, { filter }: RegistrationOptions<Details> = {}): boolean {
    return this.#find(keyOf(event), listener, filter) !== undefined;
  }

  /** @returns Whether there was such a registration. */
  deregister(event: string, listener: Listener<Details>, { filter }: RegistrationOptions<Details> = {}): boolean {
    const registration = this.#find(keyOf(event), listener, filter);
    return registration !== undefined && this.#remove(keyOf(event), registration);
  }

  /** Deregisters all listeners of the event. @returns How many there were. */
  deregisterEvent(event: string): number {
    const count = this.#registrations.get(keyOf(event))?.length ?? 0;
    this.#registrations.delete(keyOf(event));
    this.#size -= count;
    return count;
  }

  /** Deregisters all listeners. */
  reset(): void {
    this.#registrations.clear();
    this.#size = 0;
  }

  /** Tells the listeners of the event. Never throws. Does nothing for `*`. */
  notify(event: string, details?: Details): void {
    if (this.#size === 0 || !this.canTrigger(event)) return;
    const occurrence = { event, details };
    const first = this.#registrations.get(EVERY);
    if (first === undefined || first.length === 0) {
      this.#emitter?.emit(event, occurrence);
      return;
    }
    for (const hear of [...first, ...(this.#registrations.get(event) ?? [])]) hear(occurrence);
  }

  /** A notifier with registrations of its own, which begin as the same. */
  copy(): Notifier<Details> {
    return this.copyTo(new Notifier<Details>());
  }

  /** Events that have listeners, with these. */
  *listeners(): IterableIterator<[event: string, listeners: readonly Listener<Details>[]]> {
    for (const [key, registrations] of this.#registrations) {
      if (registrations.length > 0) yield [key === EVERY ? ANY : key, registrations.map(({ listener }) => listener)];
    }
  }

  protected copyTo<Copy extends Notifier<Details>>(copy: Copy): Copy {
    copy.onListenerError = this.onListenerError;
    for (const [key, registrations] of this.#registrations) {
      for (const { listener, filter } of registrations) copy.#add(key, listener, filter);
    }
    return copy;
  }

  protected describeEvents(): string {
    return 'a string';
  }

  #find(
    key: EventKey,
    listener: Listener<Details>,
    filter: ((details: Details) => boolean) | undefined,
  ): Registration<Details> | undefined {
    return this.#registrations.get(key)?.find((each) => each.listener === listener && each.filter === filter);
  }

  #add(
    key: EventKey,
    listener: Listener<Details>,
    filter: ((details: Details) => boolean) | undefined,
  ): Registration<Details> {
    const hear = ({ event, details }: Occurrence<Details>): void => {
      try {
        // Without details there is nothing to copy: listeners of such an event declare no fields.
        const copy = copyOf(details);
        if (filter !== undefined && !filter(copy)) return;
        const returned = listener(event, copy);
        if (isThenable(returned)) {
          Promise.resolve(returned).catch((error: unknown) => {
            this.#report(error, event);
          });
        }
      } catch (error) {
        this.#report(error, event);
      }
    };
    const registration = Object.assign(hear, { listener, filter });
    // Most notifiers, one for each task, never have a listener: they go without an emitter.
    this.#emitter ??= createEmitter(this.#registrations);
    this.#emitter.on(key, registration);
    this.#size += 1;
    return registration;
  }

  #remove(key: EventKey, registration: Registration<Details>): boolean {
    if (this.#registrations.get(key)?.includes(registration) !== true) return false;
    this.#emitter?.off(key, registration);
    this.#size -= 1;
    return true;
  }

  #report(error: unknown, event: string): void {
    try {
      this.onListenerError?.(error, event);
    } catch {
      // Nobody is left to tell.
    }
  }
}

/**
 * Registers listeners only for the events named. What is notified is not restricted: an event that is not named still
 * reaches those who listen to all.
 */
export class RestrictedNotifier<Details extends object = Record<string, unknown>> extends Notifier<Details> {
  /** Without `*`. */
  readonly events: ReadonlySet<string>;
  readonly #allowAny: boolean;

  /** @param options.allowAny - Whether listeners can register for `*`. Default: true. */
  constructor(events: Iterable<string>, { allowAny = true }: { readonly allowAny?: boolean } = {}) {
    super();
    const named = new Set(events);
    named.delete(ANY);
    this.events = named;
    this.#allowAny = allowAny;
  }

  override canBeRegistered(event: string): boolean {
    return event === ANY ? this.#allowAny : this.events.has(event);
  }

  override copy(): RestrictedNotifier<Details> {
    return this.copyTo(new RestrictedNotifier<Details>(this.events, { allowAny: this.#allowAny }));
  }

  protected override describeEvents(): string {
    const names = [...this.events, ...(this.#allowAny ? [ANY] : [])];
    return names.length === 0 ? 'nothing' : `one of ${names.join(', ')}`;
  }
}

function keyOf(event: string): EventKey {
  return event === ANY ? EVERY : event;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
