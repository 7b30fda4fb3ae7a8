import { Notifier } from '../notifications/notifier.js';
import type { Listener, RegistrationOptions } from '../notifications/notifier.js';

export interface EngineRegistrationOptions<Details> extends RegistrationOptions<Details> {
  /** Told only when what it is about is durable (C3). @default false */
  readonly durable?: boolean;
}

/** News for listeners that want to hear of durable changes only, in the order in which the changes were made. */
export class DurableNews {
  readonly #waiting: (() => void)[] = [];
  /** How many of them are about what was changed before the commit that is being made. */
  #marked = 0;

  /** @param isDurable - Whether everything that was changed so far is durable. */
  constructor(private readonly isDurable: () => boolean) {}

  add(tell: () => void): void {
    if (this.#waiting.length === 0 && this.isDurable()) tell();
    else this.#waiting.push(tell);
  }

  /** Whether anybody is still to be told of anything. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Called when a commit is to be made of everything that was changed before. */
  mark(): void {
    this.#marked = this.#waiting.length;
  }

  /** Called when that is durable, and perhaps everything else. */
  tell({ everything }: { readonly everything: boolean }): void {
    const told = this.#waiting.splice(0, everything ? Infinity : this.#marked);
    this.#marked = 0;
    for (const tell of told) tell();
  }
}

/** An engine's notifier: listeners that want to hear of durable changes only are told after the commit. */
export class AnnouncedNotifier<Details extends object> extends Notifier<Details> {
  readonly #durable = new Notifier<Details>();

  constructor(private readonly news: DurableNews) {
    super();
  }

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
    if (this.#durable.hasListeners) {
      this.news.add(() => {
        this.#durable.onListenerError = this.onListenerError;
        this.#durable.notify(event, details);
      });
    }
    super.notify(event, details);
  }
}
