import type { AmqpChannel } from './driver.js';

export interface StandingChannelOptions {
  readonly acquire: () => Promise<AmqpChannel>;
  /** Makes the channel what it is for. */
  readonly setUp: (channel: AmqpChannel) => Promise<unknown>;
  /** Waits before it is tried again. */
  readonly pause: () => Promise<void>;
  readonly onChange: (cause: unknown) => void;
}

/** A channel that is opened again whenever it was closed, with all that was done on it. */
export class StandingChannel {
  readonly #options: StandingChannelOptions;
  #channel: AmqpChannel | null = null;
  #attempt: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: StandingChannelOptions) {
    this.#options = options;
  }

  /** null while there is none. */
  get now(): AmqpChannel | null {
    return this.#channel?.active === true ? this.#channel : null;
  }

  get isUp(): boolean {
    return this.#isClosed || this.now !== null;
  }

  /** Opens it for the first time. What goes wrong is for the caller, who may try again. */
  open(): Promise<void> {
    const attempt = this.#open();
    this.#attempt = attempt.catch(() => undefined);
    return attempt;
  }

  /** Resolves when it is not being opened any more, however that ended. */
  settled(): Promise<void> {
    return this.#attempt;
  }

  /** Tries to open it until it is open, or closed for good. */
  async keepOpening(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.open();
        return;
      } catch {
        await this.#options.pause();
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#channel?.close();
  }

  async #open(): Promise<void> {
    const { acquire, setUp, onChange } = this.#options;
    const channel = await acquire();
    let lastError: unknown;
    channel.on('error', (error) => {
      lastError = error;
    });
    try {
      await setUp(channel);
    } catch (error) {
      await channel.close();
      throw error;
    }
    if (this.#isClosed) {
      await channel.close();
      return;
    }
    if (!channel.active) throw new ChannelClosed('the channel was closed', { cause: lastError });
    this.#channel = channel;
    channel.on('close', () => {
      if (this.#channel !== channel) return;
      this.#channel = null;
      if (this.#isClosed) return;
      onChange(new ChannelClosed('the channel was closed', { cause: lastError }));
      void this.keepOpening();
    });
    onChange(null);
  }
}

/** What was done on a channel is undone: it is closed. */
export class ChannelClosed extends Error {
  override readonly name = 'ChannelClosed';
  readonly code = 'CH_CLOSE';
}
