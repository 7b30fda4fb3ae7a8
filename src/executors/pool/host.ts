import type { Reply, Request, Start } from './protocol.js';

/** How a thread or process came to its end. */
export interface End {
  /** null for a process that was ended by a signal. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What nobody caught in it, where that is known. */
  readonly error?: unknown;
}

/** Hears of a thread or process. */
export interface HostListener {
  replied(reply: Reply): void;
  /** What it sent cannot be read here. */
  garbled(error: unknown): void;
  /** Called once, after everything that it sent. */
  ended(end: End): void;
}

/** A thread or process that runs one task at a time, as the process of the engine sees it. */
export interface Host {
  /** @throws what cannot cross. */
  send(request: Request): void;
  /** Whether it keeps the process of the engine from ending by itself. */
  keepAlive(isNeeded: boolean): void;
  /** Ends it at once. */
  kill(): void;
}

/** Starts threads, or processes. */
export interface HostKind {
  readonly noun: 'thread' | 'process';
  start(start: Start, listener: HostListener): Host;
  /** @throws when the value cannot be sent. */
  checkCrossing(value: unknown): void;
}
