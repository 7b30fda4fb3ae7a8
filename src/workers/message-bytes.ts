import { InvalidFormatError } from '../errors.js';
import type { Message, MessageProperties } from './transport.js';

/**
 * A message as bytes: a line of JSON that says what it is, then its body as it is.
 */

const LINE_END = 0x0a;
const TEXTS = ['replyTo', 'correlationId'] as const;

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
  if (!isRecord(head) || !isProperties(head['properties'])) {
    throw new InvalidFormatError('a message takes a line with its properties first');
  }
  const body = bytes.subarray(end + 1);
  if (body.length !== head['bytes']) {
    throw new InvalidFormatError(`its body takes ${String(head['bytes'])} bytes, got ${body.length}`);
  }
  return { message: { properties: head['properties'], body }, notes: head };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function isProperties(value: unknown): value is MessageProperties {
  if (!isRecord(value) || typeof value['type'] !== 'string') return false;
  const headers = value['headers'];
  return (
    TEXTS.every((name) => value[name] === undefined || typeof value[name] === 'string') &&
    (headers === undefined || (isRecord(headers) && Object.values(headers).every((each) => typeof each === 'string')))
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
