import { InvalidFormatError } from '../errors.js';
import type { Message, MessageProperties } from './transport.js';

/**
 * A message as bytes: a line of JSON that says what it is, then its body as it is.
 */

const LINE_END = 0x0a;

/** What is written beside the properties. */
export type Notes = Readonly<Record<string, string | number>>;

export interface ReadMessage {
  readonly message: Message;
  readonly notes: Readonly<Record<string, unknown>>;
}

export function encodeMessage({ properties, body }: Message, notes: Notes = {}): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ ...notes, bytes: body.length, properties })}\n`), body]);
}

/** @throws {InvalidFormatError} for what is not a whole message. */
export function decodeMessage(bytes: Buffer): ReadMessage {
  const end = bytes.indexOf(LINE_END);
  const head: unknown = end < 0 ? null : parse(bytes.toString('utf8', 0, end));
  const properties = isRecord(head) ? propertiesIn(head['properties']) : null;
  if (!isRecord(head) || properties === null) {
    throw new InvalidFormatError('a message takes a line with its properties first');
  }
  const length = head['bytes'];
  if (typeof length !== 'number') throw new InvalidFormatError('a message takes the number of the bytes of its body');
  const body = bytes.subarray(end + 1);
  if (body.length !== length) throw new InvalidFormatError(`its body takes ${length} bytes, got ${body.length}`);
  return { message: { properties, body }, notes: head };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The properties in a value from elsewhere; null where it has none. Whatever else it has is left out: it may be anything. */
export function propertiesIn(value: unknown): MessageProperties | null {
  if (!isRecord(value)) return null;
  const { type, replyTo, correlationId, headers } = value;
  if (typeof type !== 'string' || !isTextOrAbsent(replyTo) || !isTextOrAbsent(correlationId)) return null;
  if (headers !== undefined && !isTexts(headers)) return null;
  return {
    type,
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(headers === undefined ? {} : { headers }),
  };
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((each) => typeof each === 'string');
}

/** More often than anything is given, and still a number that one can add to. */
const MOST_DELIVERIES = 2 ** 31;

/** How often a message was given, in a value from elsewhere: 0 for what is no such number. */
export function countIn(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? Math.min(value, MOST_DELIVERIES) : 0;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
