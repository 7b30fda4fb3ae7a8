import type { Clock, Timer } from '../../environment.js';
import type { MessageCodec } from '../protocol/codec.js';
import { PLACES } from '../protocol/codec.js';
import type { RequestKey } from '../protocol/messages.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import type { Link } from '../transport.js';

/** Says of running requests that their worker lives. */
export interface Heart {
  /** @param id - What `remove` knows it by. */
  add(id: string, key: RequestKey, mailbox: string): void;
  remove(id: string): void;
  stop(): Promise<void>;
}

export interface BeatParts {
  readonly workerId: string;
  readonly link: Link;
  readonly codec: MessageCodec;
  /** The number of the first beat: greater than those of an earlier heart of the worker. */
  readonly firstBeat: number;
}

/** The running requests of a worker by their mailboxes, and the beats that are sent to these. */
export class Beats {
  readonly #running = new Map<string, { readonly key: RequestKey; readonly mailbox: string }>();
  #beat: number;

  constructor(private readonly parts: BeatParts) {
    this.#beat = parts.firstBeat;
  }

  add(id: string, key: RequestKey, mailbox: string): void {
    this.#running.set(id, { key, mailbox });
  }

  remove(id: string): void {
    this.#running.delete(id);
  }

  /** Sends a message to each mailbox. What cannot be sent is made up for by the next beat. */
  send(): void {
    const mailboxes = new Map<string, RequestKey[]>();
    for (const { key, mailbox } of this.#running.values()) {
      const requests = mailboxes.get(mailbox) ?? [];
      requests.push(key);
      mailboxes.set(mailbox, requests);
    }
    this.#beat += 1;
    const { workerId, codec, link } = this.parts;
    for (const [mailbox, requests] of mailboxes) {
      const body = { version: PROTOCOL_VERSION, workerId, beat: this.#beat, requests } as const;
      const message = codec.write('HEARTBEAT', body, { place: PLACES.mailbox(mailbox) });
      link.post(mailbox, message).catch(() => undefined);
    }
  }
}

/**
 * A heart that beats in the event loop of the worker: for transports that a thread cannot open again. While a task keeps
 * the event loop busy, it stands still.
 */
export function loopHeart(beats: Beats, clock: Clock, everyMs: number): Heart {
  let timer: Timer;
  const beat = () => {
    beats.send();
    wait();
  };
  const wait = () => {
    timer = clock.setTimer(everyMs, beat);
    timer.unref?.();
  };
  wait();
  return {
    add: (...given) => beats.add(...given),
    remove: (id) => beats.remove(id),
    stop: () => {
      timer.cancel();
      return Promise.resolve();
    },
  };
}
