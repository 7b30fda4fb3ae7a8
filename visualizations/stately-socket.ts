import type { Clock, Timer } from '../src/environment.js';

/** What is used of a `WebSocket`: that of browsers and of Node.js from 22 on, or the class of the package `ws`. */
export interface SocketLike {
  readonly readyState: number;
  onopen: unknown;
  onclose: unknown;
  onerror: unknown;
  send(text: string): void;
  close(): void;
  /** Ends the connection without a word, where that can be done. */
  terminate?(): void;
}

export type SocketClass = new (url: string) => SocketLike;

/** An event as Stately's inspector is sent it. */
export interface StatelyEvent {
  readonly type: string;
  readonly sessionId?: string | undefined;
  readonly snapshot?: unknown;
}

interface SocketOptions {
  readonly url: string;
  readonly socketClass: SocketClass;
  readonly clock: Clock;
  /** How long is waited before it is tried to connect again. */
  readonly reconnectMs: number;
  /** Longest wait for the other side, to open and to close. */
  readonly patienceMs: number;
  /** Called when the other side listens. */
  readonly opened: () => void;
}

const OPEN = 1;

/**
 * Sends events over a websocket, in their order. Those that come while there is no connection wait for one; whoever
 * listens later, as after a new start, is first told of the actors.
 *
 * In place of the adapter of `@statelyai/inspect`, which forgets all but the last 200 of those that wait, sends them
 * again after each break, and tries to connect for ever: a process with it never ends.
 */
export class StatelySocket {
  #socket: SocketLike | null = null;
  #waiting: StatelyEvent[] = [];
  /** As the other side knows them. */
  readonly #actors = new Map<string, StatelyEvent>();
  #retry: Timer | null = null;
  #limit: Timer | null = null;
  #isFirst = true;
  #isClosing = false;
  #settled: () => void = () => undefined;

  constructor(private readonly options: SocketOptions) {}

  start(): void {
    const { socketClass, url } = this.options;
    const socket = new socketClass(url);
    this.#socket = socket;
    this.#giveTime(socket);
    socket.onopen = () => {
      this.#limit?.cancel();
      this.#flush(socket);
      this.options.opened();
      if (this.#isClosing) this.#hangUp(socket);
    };
    // It is closed after each error.
    socket.onerror = () => undefined;
    socket.onclose = () => {
      this.#limit?.cancel();
      this.#socket = null;
      if (this.#isClosing) this.#settled();
      else this.#startLater();
    };
  }

  send(event: StatelyEvent): void {
    if (this.#socket?.readyState === OPEN) this.#transmit(event, this.#socket);
    else this.#waiting.push(event);
  }

  #transmit(event: StatelyEvent, socket: SocketLike): void {
    socket.send(textOf(event));
    const { type, sessionId = '', snapshot } = event;
    const actor = this.#actors.get(sessionId);
    if (type === '@xstate.actor') this.#actors.set(sessionId, event);
    else if (type === '@xstate.snapshot' && actor !== undefined) this.#actors.set(sessionId, { ...actor, snapshot });
  }

  /** Sends what waits, if there is a connection or one is being opened, and closes it. */
  async stop(): Promise<void> {
    this.#isClosing = true;
    this.#retry?.cancel();
    const socket = this.#socket;
    if (socket === null) return;
    const settled = new Promise<void>((resolve) => (this.#settled = resolve));
    if (socket.readyState === OPEN) this.#hangUp(socket);
    await settled;
  }

  #hangUp(socket: SocketLike): void {
    this.#giveTime(socket);
    socket.close();
  }

  #flush(socket: SocketLike): void {
    if (!this.#isFirst) for (const actor of this.#actors.values()) socket.send(textOf(actor));
    this.#isFirst = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) this.#transmit(event, socket);
  }

  /** Nothing waits for ever for another side that says nothing. */
  #giveTime(socket: SocketLike): void {
    this.#limit?.cancel();
    this.#limit = this.options.clock.setTimer(this.options.patienceMs, () => {
      if (socket.terminate === undefined) socket.close();
      else socket.terminate();
    });
    this.#limit.unref?.();
  }

  #startLater(): void {
    this.#retry = this.options.clock.setTimer(this.options.reconnectMs, () => {
      this.start();
    });
    // A run that nobody looks at keeps no process alive.
    this.#retry.unref?.();
  }
}

/** The event as JSON. What JSON does not have is written as text, and what cannot be written is left out. */
function textOf(event: StatelyEvent): string {
  const readable = (_: string, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    return value instanceof Error ? String(value) : value;
  };
  try {
    return JSON.stringify(event, readable);
  } catch {
    return JSON.stringify({ ...event, event: { type: '(an event that cannot be shown)' } }, readable);
  }
}
