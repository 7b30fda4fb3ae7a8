import { isProperties, isRecord } from '../../message-bytes.js';
import type { DeadLetter, Message, MessageProperties } from '../../transport.js';
import type { AmqpFields, AmqpMessage } from './driver.js';

/*
 * The properties of a message are those of AMQP, which are short and take no text that is not well formed. Where they do
 * not fit, or there are headers, they travel as JSON in one header as well.
 */

const PROPERTIES = 'flowstate-properties';
const PLACE = 'flowstate-place';
const DEATH = 'flowstate-death';
/** How often it was given before, as another message. */
const DELIVERIES = 'flowstate-deliveries';

const LONGEST_SHORT_TEXT = 200;

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

export function fieldsOf({ message, messageId, place, death, deliveries }: CarriedParts): AmqpFields {
  const { properties } = message;
  const type = short(properties.type);
  const correlationId = short(properties.correlationId);
  const replyTo = short(properties.replyTo);
  const fits =
    type === properties.type &&
    correlationId === properties.correlationId &&
    replyTo === properties.replyTo &&
    properties.headers === undefined;
  return {
    messageId,
    type,
    correlationId,
    replyTo,
    headers: {
      ...(fits ? {} : { [PROPERTIES]: JSON.stringify(properties) }),
      ...(place === undefined ? {} : { [PLACE]: JSON.stringify(place) }),
      ...(death === undefined ? {} : { [DEATH]: JSON.stringify(death) }),
      ...(deliveries === undefined ? {} : { [DELIVERIES]: deliveries }),
    },
  };
}

export function messageIn(carried: AmqpMessage): Message {
  return { properties: propertiesIn(carried), body: bytesOf(carried.body) };
}

/** Of a quorum queue exact; otherwise once more than it is known to have been given as another message, or twice more. */
export function deliveriesIn({ headers, redelivered }: AmqpMessage): number {
  const before = numberIn(headers?.[DELIVERIES]) ?? 0;
  const counted = numberIn(headers?.['x-delivery-count']);
  return before + (counted ?? (redelivered ? 1 : 0)) + 1;
}

export function deadLetterIn(carried: AmqpMessage, now: number): DeadLetter | null {
  const { headers = {}, messageId, timestamp } = carried;
  const place = jsonIn(headers[PLACE]);
  if (!isRecord(place) || messageId === undefined) return null;
  const { kind, name } = place;
  if (kind !== 'queue' && kind !== 'mailbox') return null;
  if (typeof name !== 'string') return null;
  const common = { id: messageId, message: messageIn(carried), kind, place: name } as const;
  const death = jsonIn(headers[DEATH]);
  if (isRecord(death) && typeof death['reason'] === 'string') {
    const { reason, deliveries, at } = death;
    return { ...common, reason, deliveries: numberIn(deliveries) ?? 1, at: numberIn(at) ?? now };
  }
  const why = headers['x-first-death-reason'];
  const limit = why === 'delivery_limit' ? numberIn(place['deliveryLimit']) : null;
  return {
    ...common,
    reason: `the broker gave it up: ${typeof why === 'string' ? why : 'it did not say why'}`,
    deliveries: limit ?? 1,
    at: timeOfDeath(headers['x-death']) ?? (timestamp === undefined ? now : timestamp * 1000),
  };
}

/** What the broker notes of it, in seconds. */
function timeOfDeath(deaths: unknown): number | null {
  const last: unknown = Array.isArray(deaths) ? deaths[0] : undefined;
  const seconds = isRecord(last) ? numberIn(last['time']) : null;
  return seconds === null ? null : seconds * 1000;
}

function propertiesIn({ type, correlationId, replyTo, headers = {} }: AmqpMessage): MessageProperties {
  const properties = jsonIn(headers[PROPERTIES]);
  if (isProperties(properties)) return properties;
  // What is ours and was short has no headers but those of the broker.
  const others = headers[PLACE] === undefined ? Object.entries(headers) : [];
  // Somebody else's message.
  const texts = others.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return {
    type: type ?? '',
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(texts.length === 0 ? {} : { headers: Object.fromEntries(texts) }),
  };
}

/** The driver reads some types of content. */
function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

const PLAIN = /^[\x20-\x7e]*$/;

/** An empty one would be as good as none. */
function short(text: string | undefined): string | undefined {
  if (text === undefined || text === '' || text.length > LONGEST_SHORT_TEXT) return undefined;
  if (PLAIN.test(text)) return text;
  const fits = Buffer.byteLength(text) <= LONGEST_SHORT_TEXT && Buffer.from(text).toString() === text;
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
