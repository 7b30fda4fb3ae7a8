import { Notifier } from '../notifications/notifier.js';
import type { Listener, RegistrationOptions } from '../notifications/notifier.js';

export interface EngineRegistrationOptions<Details> extends RegistrationOptions<Details> {
  /** Told only when what it is about is durable (C3). @default false */
  readonly durable?: boolean;
}

/** An engine's notifier: listeners that want to hear of durable changes only are told after the commit. */
export class AnnouncedNotifier<Details extends object> extends Notifier<Details> {
  readonly #durable = new Notifier<Details>();
  #waiting: { event: string; details: Details | undefined }[] = [];

  override get hasListeners(): boolean {
    return super.hasListeners || this.#durable.hasListeners;
  }

  override register(
    event: string,
    listener: Listener<Details>,
    { durable = false, ...options }: EngineRegistrationOptions<Details> = {},
  ): Disposable {
    return durable ? this.#durable.register(event, listener, options) : super.register(event, listener, options);
  }

  override registered(event: string, listener: Listener<Details>, options: RegistrationOptions<Details> = {}): boolean {
    return super.registered(event, listener, options) || this.#durable.registered(event, listener, options);
  }

  override deregister(event: string, listener: Listener<Details>, options: RegistrationOptions<Details> = {}): boolean {
    return super.deregister(event, listener, options) || this.#durable.deregister(event, listener, options);
  }

  override notify(event: string, details?: Details): void {
    if (this.#durable.hasListeners) this.#waiting.push({ event, details });
    super.notify(event, details);
  }

  /** Tells of everything that a commit has made durable. */
  tellDurable(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#durable.onListenerError = this.onListenerError;
    for (const { event, details } of waiting) this.#durable.notify(event, details);
  }
}
