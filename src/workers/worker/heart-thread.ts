import { Worker as Thread } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import type { Clock, Timer } from '../../environment.js';
import { optionsForThreads } from '../../executors/pool/node-options.js';
import type { SigningOptions } from '../protocol/signing.js';
import type { TransportOptions } from '../transport-registry.js';
import type { RequestKey } from '../protocol/messages.js';
import type { Heart } from './heart.js';
import { memoryForTexts, SharedTexts } from './shared-texts.js';

/** What the thread is started with: plain data. */
export interface HeartStart {
  readonly workerId: string;
  readonly transport: Omit<TransportOptions, 'environment' | 'registry'>;
  readonly signing: SigningOptions;
  readonly maxMessageBytes: number;
  readonly everyMs: number;
  /** For how long the event loop of the worker may stand still before the heart does. */
  readonly patienceMs: number;
  /** One number, that the event loop of the worker counts up. */
  readonly pulse: SharedArrayBuffer;
  readonly firstBeat: number;
  /** The requests that run, as `SharedTexts` of `RunningText`s: most are over before the next beat. */
  readonly running: SharedArrayBuffer;
}

export type RunningText = readonly [id: string, key: RequestKey, mailbox: string];

/** What has no room in the memory that is shared is told. */
export type HeartOrder =
  | { readonly type: 'add'; readonly id: string; readonly key: RequestKey; readonly mailbox: string }
  | { readonly type: 'remove'; readonly id: string }
  | { readonly type: 'stop' };

const MAIN = new URL('./heart-main.js', import.meta.url);
/** Of requests; what runs beyond these is told. */
const MOST_SHARED = 1024;
/** How often the pulse is counted up in the time between two beats. */
const PULSES_PER_BEAT = 4;
/** How long, in milliseconds, a thread that was told to stop may take. */
const STOP_MS = 2000;

/**
 * A heart that beats in a thread of its own, with a connection of its own. A task that keeps the event loop busy does not
 * stop it, unless it does so for longer than `patienceMs`: an event loop that stands still for so long is no worker any
 * more, and the beats stop with it.
 */
export function threadHeart(
  { capacity, ...start }: Omit<HeartStart, 'pulse' | 'running'> & { readonly capacity: number },
  clock: Clock,
): Heart {
  const running = memoryForTexts(Math.min(capacity, MOST_SHARED));
  const texts = new SharedTexts(running);
  /** By id; null: it was told. */
  const slots = new Map<string, number | null>();
  const pulse = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const count = new Int32Array(pulse);
  const execArgv = optionsForThreads();
  const thread = new Thread(fileURLToPath(MAIN), {
    workerData: { ...start, pulse, running } satisfies HeartStart,
    ...(execArgv === undefined ? {} : { execArgv }),
  });
  // Without its heart a worker is taken for lost, and its requests are given to others: nothing else is to be done.
  thread.on('error', () => undefined);
  const gone = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  thread.unref();
  let timer: Timer;
  const feel = () => {
    Atomics.add(count, 0, 1);
    timer = clock.setTimer(start.everyMs / PULSES_PER_BEAT, feel);
    timer.unref?.();
  };
  feel();
  const tell = (order: HeartOrder) => thread.postMessage(order);
  const remove = (id: string) => {
    const slot = slots.get(id);
    slots.delete(id);
    if (slot === null) tell({ type: 'remove', id });
    else if (slot !== undefined) texts.remove(slot);
  };
  return {
    add(id, key, mailbox) {
      remove(id);
      const slot = texts.add(JSON.stringify([id, key, mailbox] satisfies RunningText));
      slots.set(id, slot);
      if (slot === null) tell({ type: 'add', id, key, mailbox });
    },
    remove,
    async stop() {
      timer.cancel();
      tell({ type: 'stop' });
      thread.ref();
      const patience = clock.setTimer(STOP_MS, () => void thread.terminate());
      await gone;
      patience.cancel();
    },
  };
}
