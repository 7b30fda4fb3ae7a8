import type { Clock, Timer } from '../../environment.js';
import { FlowstateError, TransportError } from '../../errors.js';
import { handOver } from '../delivering.js';
import type { MessageCodec } from '../protocol/codec.js';
import { PLACES, runMailbox } from '../protocol/codec.js';
import type { Body, ResponseBody } from '../protocol/messages.js';
import type { Consumer, Delivery, Link } from '../transport.js';
import type { ClientRequest } from './request.js';
import type { WorkerExecutorSettings } from './options.js';
import type { WorkerExecutorStatistics } from './statistics.js';

/** Replies that may be there without an answer: those that wait for a commit are among them. */
const PREFETCH = 10_000;
/** How long, in milliseconds, the mailbox of a run that asks for nothing is read. */
const IDLE_MS = 30_000;
/** What is understood in it. */
const IN_MAILBOX = ['RESPONSE', 'HEARTBEAT', 'CLAIM'] as const;
/** After how many milliseconds a mailbox is tried again that could not be opened. */
const AGAIN_MS = 1000;

export interface RunMailboxParts {
  readonly runId: string;
  /** Asked for when there is a connection. */
  readonly codec: () => MessageCodec;
  readonly clock: Clock;
  readonly settings: WorkerExecutorSettings;
  readonly statistics: WorkerExecutorStatistics;
  readonly link: () => Promise<Link>;
  /** A worker that asks is told whether it may run a request: null, or why not. */
  readonly grant: (claim: Body<'CLAIM'>, refusal: string | null) => void;
  /** A worker was heard of. */
  readonly isAlive: (workerId: string) => void;
  /** It is not read any more. */
  readonly closed: () => void;
}

/** The requests of one run, and the mailbox into which they are answered. */
export class RunMailbox {
  readonly name: string;
  readonly requests = new Map<string, ClientRequest>();
  /** Resolves when replies can come. */
  readonly ready: Promise<Link>;
  /** What came before it was asked for: answers to an earlier process. */
  #early: Map<string, { readonly body: ResponseBody; readonly delivery: Delivery }[]> | null = new Map();
  /** Workers that asked before their request was known here. */
  #earlyClaims: Body<'CLAIM'>[] = [];
  #consumer: Consumer | null = null;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(private readonly parts: RunMailboxParts) {
    this.name = runMailbox(parts.runId);
    this.ready = this.#open();
    this.ready.catch(() => undefined);
  }

  async #open(): Promise<Link> {
    const { link, settings, clock, codec } = this.parts;
    const opened = await link();
    const options = { prefetch: PREFETCH, expiryMs: settings.mailboxExpiryMs };
    const hear = (delivery: Delivery) =>
      codec().soon(delivery.message, IN_MAILBOX, () => handOver(delivery, () => this.#hear(delivery)));
    this.#consumer = await this.#receive(() => opened.receive(this.name, options, hear));
    const timer = clock.setTimer(settings.adoptMs, () => this.#forgetEarly());
    timer.unref?.();
    return opened;
  }

  /** The broker may come back while the requests have time left. */
  async #receive(attempt: () => Promise<Consumer>): Promise<Consumer> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof TransportError) || this.#isClosed || this.requests.size === 0) throw error;
        for (const request of this.requests.values()) request.trouble = error;
        await new Promise<void>((resolve) => {
          this.parts.clock.setTimer(AGAIN_MS, resolve);
        });
      }
    }
  }

  add(request: ClientRequest): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.requests.get(request.id)?.interrupt();
    this.requests.set(request.id, request);
    if (!request.takesUp) return;
    for (const { body, delivery } of this.#early?.get(request.id) ?? []) this.#hand(request, body, delivery);
    this.#early?.delete(request.id);
    const claims = this.#earlyClaims.filter(({ requestId }) => requestId === request.id);
    this.#earlyClaims = this.#earlyClaims.filter(({ requestId }) => requestId !== request.id);
    for (const claim of claims) this.#hearClaim(claim);
  }

  remove(request: ClientRequest): void {
    if (this.requests.get(request.id) === request) this.requests.delete(request.id);
    if (this.requests.size > 0 || this.#timer !== null || this.#isClosed) return;
    this.#timer = this.parts.clock.setTimer(IDLE_MS, () => void this.close());
    this.#timer.unref?.();
  }

  #hear(delivery: Delivery): void {
    const { codec, statistics, settings, isAlive } = this.parts;
    try {
      const envelope = codec().read(delivery.message, PLACES.mailbox(this.name), IN_MAILBOX);
      isAlive(envelope.body.workerId);
      if (envelope.type === 'RESPONSE') {
        this.#hearResponse(envelope.body, delivery);
        return;
      }
      if (envelope.type === 'CLAIM') this.#hearClaim(envelope.body);
      else {
        const { workerId, beat, requests } = envelope.body;
        for (const key of requests) this.requests.get(key.requestId)?.beat(workerId, beat, key);
      }
    } catch (error) {
      statistics.invalidMessages += 1;
      const reason = error instanceof FlowstateError ? error.message : String(error);
      settings.log(`A reply was not understood: ${reason}`);
      delivery.reject(reason).catch(() => undefined);
      return;
    }
    delivery.ack().catch(() => undefined);
  }

  #hearResponse(body: ResponseBody, delivery: Delivery): void {
    const request = this.requests.get(body.requestId);
    if (request !== undefined) {
      this.#hand(request, body, delivery);
      return;
    }
    if (this.#early !== null) {
      this.#early.set(body.requestId, [...(this.#early.get(body.requestId) ?? []), { body, delivery }]);
      return;
    }
    this.parts.statistics.unknownReplies += 1;
    delivery.ack().catch(() => undefined);
  }

  #hearClaim(claim: Body<'CLAIM'>): void {
    const request = this.requests.get(claim.requestId);
    if (request !== undefined) this.parts.grant(claim, request.claimed(claim));
    else if (this.#early !== null) this.#earlyClaims.push(claim);
    else this.parts.grant(claim, 'its engine does not wait for it: it was run before, or is not wanted any more');
  }

  #hand(request: ClientRequest, body: ResponseBody, delivery: Delivery): void {
    if (!request.hear(body, delivery)) delivery.ack().catch(() => undefined);
  }

  #forgetEarly(): void {
    const early = this.#early;
    this.#early = null;
    for (const claim of this.#earlyClaims.splice(0)) this.#hearClaim(claim);
    for (const { delivery } of [...(early?.values() ?? [])].flat()) {
      this.parts.statistics.unknownReplies += 1;
      delivery.ack().catch(() => undefined);
    }
  }

  /** Reads no more. What comes is kept for whoever takes up the run. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#forgetEarly();
    this.parts.closed();
    await this.ready.catch(() => undefined);
    await this.#consumer?.stop();
  }
}
