import { createHash } from 'node:crypto';
import { countIn, isRecord, propertiesIn } from '../../message-bytes.js';
import type { DeadLetter, Message, MessageProperties } from '../../transport.js';
import type { AmqpFields, AmqpMessage } from './driver.js';
import type { Names } from './names.js';

/*
 * The properties of a message travel as JSON in one header, since those of AMQP are short and take no text that is not
 * well formed. They are there as well where they fit, for tools.
 */

const PROPERTIES = 'flowstate-properties';
const PLACE = 'flowstate-place';
const DEATH = 'flowstate-death';
/** How often it was given before, as another message. */
const DELIVERIES = 'flowstate-deliveries';

const LONGEST_SHORT_TEXT = 200;
/** All properties have to be in one frame, with what is noted of a dead letter. */
const MOST_PROPERTY_BYTES = 64 * 1024;
const LONGEST_REASON = 2000;

export interface Place {
  readonly kind: DeadLetter['kind'];
  readonly name: string;
  /** How often the broker gives it to somebody, if it counts: it does not say so when it gives it up. */
  readonly deliveryLimit?: number | undefined;
}

export interface Death {
  readonly reason: string;
  readonly deliveries: number;
  readonly at: number;
}

export interface CarriedParts {
  readonly message: Message;
  readonly messageId: string;
  readonly place?: Place | undefined;
  readonly death?: Death | undefined;
  readonly deliveries?: number | undefined;
}

/** @throws {RangeError} for properties that do not fit into a frame. */
export function fieldsOf({ message, messageId, place, death, deliveries }: CarriedParts): AmqpFields {
  const { properties } = message;
  const text = JSON.stringify(properties);
  if (Buffer.byteLength(text) > MOST_PROPERTY_BYTES) {
    throw new RangeError(`The properties of a message take at most ${MOST_PROPERTY_BYTES} bytes over AMQP`);
  }
  return {
    messageId,
    type: short(properties.type),
    correlationId: short(properties.correlationId),
    replyTo: short(properties.replyTo),
    headers: {
      [PROPERTIES]: text,
      ...(place === undefined ? {} : { [PLACE]: JSON.stringify(place) }),
      ...(death === undefined
        ? {}
        : { [DEATH]: JSON.stringify({ ...death, reason: death.reason.slice(0, LONGEST_REASON) }) }),
      ...(deliveries === undefined ? {} : { [DELIVERIES]: deliveries }),
    },
  };
}

/** @returns the message, or why it cannot be sent on as it is. */
export function messageIn(carried: AmqpMessage): Message | string {
  const body = bytesOf(carried.body);
  if (body === null) return 'its JSON nests too deep';
  const properties = propertiesOf(carried);
  const size = Buffer.byteLength(JSON.stringify(properties));
  return size > MOST_PROPERTY_BYTES ? `its properties take ${size} bytes` : { properties, body };
}

/** What can be kept of a message that cannot be sent on. */
export function remainsOf({ type, correlationId, replyTo, body }: AmqpMessage): Message {
  return { properties: plainProperties({ type, correlationId, replyTo }), body: bytesOf(body) ?? new Uint8Array() };
}

/** Of a quorum queue exact; otherwise once more than it is known to have been given as another message, or twice more. */
export function deliveriesIn({ headers, redelivered }: AmqpMessage): number {
  const before = countIn(headers?.[DELIVERIES]);
  const counted = headers?.['x-delivery-count'];
  return before + (counted === undefined ? (redelivered ? 1 : 0) : countIn(counted)) + 1;
}

/** @param names - Of the exchange: what somebody else wrote, and the broker gave up, does not say itself where it was. */
export function deadLetterIn(carried: AmqpMessage, names: Names, now: number): DeadLetter | null {
  const { headers = {}, timestamp } = carried;
  const place = placeIn(headers, names);
  if (place === null) return null;
  const whole = messageIn(carried);
  const message = typeof whole === 'string' ? remainsOf(carried) : whole;
  const id = carried.messageId ?? digestOf(message);
  const common = { id, message, kind: place.kind, place: place.name } as const;
  const death = jsonIn(headers[DEATH]);
  if (isRecord(death) && typeof death['reason'] === 'string') {
    const { reason, deliveries, at } = death;
    return { ...common, reason, deliveries: countIn(deliveries) || 1, at: numberIn(at) ?? now };
  }
  const why = headers['x-first-death-reason'];
  const limit = why === 'delivery_limit' ? countIn(place.deliveryLimit) : 0;
  return {
    ...common,
    reason: `the broker gave it up: ${typeof why === 'string' ? why : 'it did not say why'}`,
    deliveries: limit || 1,
    at: timeOfDeath(headers['x-death']) ?? (timestamp === undefined ? now : timestamp * 1000),
  };
}

function placeIn(headers: Readonly<Record<string, unknown>>, names: Names): Place | null {
  const place = jsonIn(headers[PLACE]);
  if (isRecord(place) && typeof place['name'] === 'string') {
    const { kind, name, deliveryLimit } = place;
    if (kind === 'queue' || kind === 'mailbox')
      return { kind, name, deliveryLimit: numberIn(deliveryLimit) ?? undefined };
  }
  const queue = headers['x-first-death-queue'];
  return typeof queue === 'string' ? names.placeOf(queue) : null;
}

/** What a message is known by that has no id: the same as another one that is the same. */
function digestOf({ properties, body }: Message): string {
  return createHash('sha256').update(JSON.stringify(properties)).update(body).digest('hex');
}

/** What the broker notes of it, in seconds. */
function timeOfDeath(deaths: unknown): number | null {
  const last: unknown = Array.isArray(deaths) ? deaths[0] : undefined;
  const seconds = isRecord(last) ? numberIn(last['time']) : null;
  return seconds === null ? null : seconds * 1000;
}

function propertiesOf({ type, correlationId, replyTo, headers = {} }: AmqpMessage): MessageProperties {
  const properties = propertiesIn(jsonIn(headers[PROPERTIES]));
  if (properties !== null) return properties;
  // Somebody else's message.
  const texts = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const plain = plainProperties({ type, correlationId, replyTo });
  return texts.length === 0 ? plain : { ...plain, headers: Object.fromEntries(texts) };
}

function plainProperties({
  type,
  correlationId,
  replyTo,
}: Pick<AmqpMessage, 'type' | 'correlationId' | 'replyTo'>): MessageProperties {
  return {
    type: type ?? '',
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
}

/** The driver reads some types of content. JSON that it reads may nest deeper than it can be written; null for that. */
function bytesOf(body: unknown): Uint8Array | null {
  if (body instanceof Uint8Array) return body;
  try {
    return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  } catch {
    return null;
  }
}

function short(text: string | undefined): string | undefined {
  const fits =
    text !== undefined && Buffer.byteLength(text) <= LONGEST_SHORT_TEXT && Buffer.from(text).toString() === text;
  return fits ? text : undefined;
}

function jsonIn(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
