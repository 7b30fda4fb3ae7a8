import { ENGINES_ROOM, PLACES, runMailbox, WORKERS_ROOM, workerMailbox } from '../../../src/workers/protocol/codec.js';
import type { Body, BodyType, RequestKey } from '../../../src/workers/protocol/messages.js';
import { wireTypeOf } from '../../../src/workers/protocol/codec.js';
import type { Signing } from '../../../src/workers/protocol/signing.js';
import type { Link, Message, MessageProperties } from '../../../src/workers/transport.js';
import { HOSTILE_VALUES, withOtherBytes, withOtherPart } from './mutations.js';
import type { Source } from './mutations.js';

/** Where messages come in, and of which types they are there. */
export const DOORS = {
  queue: ['REQUEST'],
  workerMailbox: ['CANCEL', 'GRANT'],
  workersRoom: ['ASK', 'CANCEL', 'ADOPT'],
  runMailbox: ['RESPONSE', 'HEARTBEAT', 'CLAIM'],
  enginesRoom: ['NOTIFY', 'BYE'],
} as const satisfies Readonly<Record<string, readonly BodyType[]>>;
export type Door = keyof typeof DOORS;

export interface Addresses {
  readonly topic: string;
  readonly workerId: string;
  /** When the worker began. */
  readonly startedAt: number;
  readonly runId: string;
  /** The mailbox that answers are asked for in. */
  readonly answers: string;
  /** The request that an engine has under way. */
  readonly underWay: () => RequestKey;
}

/** Larger than the codecs of the test take. */
export const MAX_MESSAGE_BYTES = 16 * 1024;

/** Makes messages that are not as they should be, each at one of the doors. */
export class Malformed {
  #count = 0;

  constructor(
    private readonly source: Source,
    private readonly addresses: Addresses,
    /** Of somebody who has the key, and of somebody who has another; null where nothing is signed. */
    private readonly signing: { readonly own: Signing; readonly foreign: Signing } | null,
  ) {}

  next(door: Door): Message {
    this.#count += 1;
    const { source } = this;
    const type: BodyType = source.oneOf<BodyType>(DOORS[door]);
    const body = this.#bodyOf(type);
    const properties = { type: wireTypeOf(type), ...this.#repliesOf(type) };
    const place = this.#placeOf(door);
    switch (source.below(10)) {
      case 0:
      case 1:
      case 2:
        return this.#signed(place, properties, withOtherBytes(Buffer.from(JSON.stringify(body)), source));
      case 3:
        // The signature is that of another text.
        return { ...this.#signed(place, properties, Buffer.from(JSON.stringify(body))), body: this.#other(body) };
      case 4:
        return this.#signed(place, this.#otherProperties(properties), this.#other(body));
      case 5:
        return this.#forged(place, properties, Buffer.from(JSON.stringify(body)));
      case 6:
        return this.#signed(place, properties, this.#oversized(body));
      default:
        return this.#signed(place, properties, this.#other(body));
    }
  }

  async deliver(link: Link, door: Door, message: Message): Promise<void> {
    const { topic, workerId, runId } = this.addresses;
    if (door === 'queue') await link.send(topic, message);
    else if (door === 'workerMailbox') await link.post(workerMailbox(workerId), message);
    else if (door === 'runMailbox') await link.post(runMailbox(runId), message);
    else await link.announce(door === 'workersRoom' ? WORKERS_ROOM : ENGINES_ROOM, message);
  }

  #placeOf(door: Door): string {
    const { topic, workerId, runId } = this.addresses;
    if (door === 'queue') return PLACES.queue(topic);
    if (door === 'workerMailbox') return PLACES.mailbox(workerMailbox(workerId));
    if (door === 'runMailbox') return PLACES.mailbox(runMailbox(runId));
    return PLACES.room(door === 'workersRoom' ? WORKERS_ROOM : ENGINES_ROOM);
  }

  #other(body: unknown): Uint8Array {
    return Buffer.from(withOtherPart(body, this.source));
  }

  #oversized(body: object): Uint8Array {
    return Buffer.from(JSON.stringify({ ...body, more: 'x'.repeat(MAX_MESSAGE_BYTES) }));
  }

  #repliesOf(type: BodyType): Partial<MessageProperties> {
    return type === 'REQUEST' || type === 'ADOPT' ? { replyTo: this.addresses.answers } : {};
  }

  /** Signed with a key that is not known, or not at all, or somewhere else, or long ago. */
  #forged(place: string, properties: MessageProperties, body: Uint8Array): Message {
    if (this.signing === null) return { properties, body: withOtherBytes(body, this.source) };
    const { own, foreign } = this.signing;
    const headers = own.headersFor(place, properties, body);
    const name = this.source.oneOf(Object.keys(headers));
    switch (this.source.below(5)) {
      case 0:
        return { properties, body };
      case 1:
        return { properties: { ...properties, headers: foreign.headersFor(place, properties, body) }, body };
      case 2:
        return { properties: { ...properties, headers: own.headersFor(`${place}s`, properties, body) }, body };
      case 3:
        return {
          properties: {
            ...properties,
            headers: { ...headers, [name]: this.source.oneOf(['', '1', '__proto__', 'NaN', 'x'.repeat(43)]) },
          },
          body,
        };
      default:
        return {
          properties: { ...properties, headers: { ...headers, 'flowstate-sent-at': '1' } },
          body,
        };
    }
  }

  #signed(place: string, properties: MessageProperties, body: Uint8Array): Message {
    if (this.signing === null) return { properties, body };
    return { properties: { ...properties, headers: this.signing.own.headersFor(place, properties, body) }, body };
  }

  #otherProperties(properties: MessageProperties): MessageProperties {
    const { source } = this;
    switch (source.below(4)) {
      case 0:
        return { ...properties, type: source.oneOf(['', 'request', 'EVAL', '__proto__', 'RESPONSE', 'X'.repeat(300)]) };
      case 1:
        return { ...properties, replyTo: source.oneOf([undefined, '', '..', '\0', 'r'.repeat(300), 'nobody']) };
      case 2:
        return { ...properties, correlationId: source.oneOf(['', '__proto__', 'c'.repeat(3000)]) };
      default:
        return { ...properties, headers: { [source.oneOf(['a', 'flowstate-key'])]: 'x'.repeat(source.below(3000)) } };
    }
  }

  #key(): RequestKey {
    const { source, addresses } = this;
    return source.oneOf([
      addresses.underWay(),
      { requestId: `request-${this.#count}`, submission: `submission-${this.#count}`, dispatch: 1 },
    ]);
  }

  /** Of a request that is to come: some have a reason that fits into no answer. */
  #cancellation(failure: Body<'CANCEL'>['reason']): Body<'CANCEL'> {
    const soon = this.#count + 1 + this.source.below(3);
    const message = this.source.oneOf(['enough', 'x'.repeat(MAX_MESSAGE_BYTES - 500)]);
    return {
      version: 2,
      requestId: `request-${soon}`,
      submission: `submission-${soon}`,
      reason: { ...failure, message, typeNames: this.source.oneOf([['Error'], ['AbortError', 'Error'], ['Nothing']]) },
    };
  }

  /** A body as it should be; some have texts of values that are not. */
  #bodyOf(type: BodyType): Body<BodyType> {
    const { source, addresses } = this;
    const value = () => (source.below(4) === 0 ? source.oneOf(HOSTILE_VALUES) : '[{"value":1},1]');
    const own = { requestId: `request-${this.#count}`, submission: `submission-${this.#count}`, dispatch: 1 };
    const failure = {
      version: 1 as const,
      typeNames: ['RangeError', 'Error'],
      message: 'too far',
      stack: null,
      properties: { limit: [1, { of: 'two' }] },
      causes: [{ version: 1 as const, typeNames: ['Error'], message: 'before', stack: 'at x' }],
      errors: [{ version: 1 as const, typeNames: ['Error'], message: 'one of them', stack: null }],
    };
    const reply = { version: 2 as const, ...this.#key(), workerId: 'w1', delivery: 1, number: this.#count };
    switch (type) {
      case 'REQUEST':
        return {
          version: 2,
          ...own,
          takesUp: source.below(2) === 0,
          runId: addresses.runId,
          atomId: 'atom',
          atom: 'echo',
          action: source.oneOf(['execute', 'revert']),
          attempt: 1,
          task: { name: 'echo', version: '1.0', parameters: value() === '[{"value":1},1]' ? '[[]]' : value() },
          arguments: {
            values: value(),
            failures: { result: failure },
            failureMaps: { flowFailures: [['a', failure]] },
          },
          idempotencyKey: `run:0:echo:${this.#count}`,
          events: ['update_progress', '*'],
          maxDeliveries: 3,
          sole: { workerId: addresses.workerId, startedAt: addresses.startedAt },
        };
      case 'RESPONSE':
        return source.oneOf([
          { ...reply, state: 'RUNNING' as const, data: {} },
          { ...reply, state: 'EVENT' as const, data: { event_type: 'seen', details: value() } },
          { ...reply, state: 'SUCCESS' as const, data: { result: value() } },
          { ...reply, state: 'FAILURE' as const, data: { failure } },
        ]);
      case 'HEARTBEAT':
        return { version: 2, workerId: 'w1', beat: this.#count, requests: [this.#key(), own] };
      case 'ASK':
        return { version: 2 };
      case 'NOTIFY':
        return source.oneOf<Body<'NOTIFY'>>([
          { topic: 'scripted', tasks: ['a'] },
          {
            version: 2,
            topic: 'scripted',
            tasks: [{ name: 'a', versions: ['1.0', null] }],
            workerId: 'w1',
            capacity: 4,
            inFlight: 0,
            startedAt: 1,
            number: this.#count,
          },
        ]);
      case 'BYE':
        return { version: 2, workerId: 'w1', topic: 'scripted' };
      case 'CANCEL':
        return this.#cancellation(failure);
      case 'CLAIM':
        return { version: 2, ...this.#key(), workerId: 'w1', delivery: 1, claim: `claim-${this.#count}` };
      case 'GRANT':
        return { version: 2, claim: `claim-${this.#count}`, refusal: source.oneOf([null, 'no']) };
      case 'ADOPT':
        return { version: 2, requestIds: [own.requestId, `request-${this.#count - 1}`] };
    }
  }
}
