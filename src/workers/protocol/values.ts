import { hash } from 'node:crypto';
import { InvalidFormatError, UncrossableValueError, UnstorableValueError } from '../../errors.js';
import { receivedArguments, sentArguments } from '../../executors/pool/protocol.js';
import type { SentArguments } from '../../executors/pool/protocol.js';
import { readRichText, writeRichText } from '../../rich-text.js';
import type { RequestBody } from './messages.js';

/** Which value of which atom, for messages. */
export interface ValueOwner {
  readonly atom: string;
  /** Such as `result`. */
  readonly what: string;
}

/** @throws {UncrossableValueError} naming the value, and where in it what cannot be sent. */
export function valueText(value: unknown, { atom, what }: ValueOwner, where: string): string {
  try {
    return writeRichText(value);
  } catch (error) {
    if (!(error instanceof UnstorableValueError)) throw error;
    const cause = new Error(`${error.reason} at ${error.path}`);
    throw new UncrossableValueError(atom, what, where, { cause });
  }
}

/** @throws {InvalidFormatError} for a text that is none of ours. */
export function valueIn(text: string): unknown {
  try {
    return readRichText(text);
  } catch {
    throw new InvalidFormatError('A value in a message takes the text of one, got another');
  }
}

const TO_A_WORKER = 'to a worker';

/** @throws {UncrossableValueError} naming the argument that cannot be sent. */
export function argumentsText(args: Readonly<Record<string, unknown>>, atom: string): RequestBody['arguments'] {
  const { values, failures, failureMaps } = sentArguments(args);
  let text: string;
  try {
    text = writeRichText(values);
  } catch {
    // Said of the argument: the whole is nothing that the atom knows.
    for (const [name, value] of Object.entries(values))
      valueText(value, { atom, what: `argument '${name}'` }, TO_A_WORKER);
    text = valueText(values, { atom, what: 'arguments' }, TO_A_WORKER);
  }
  return {
    values: text,
    ...(failures === undefined ? {} : { failures: failures as RequestBody['arguments']['failures'] }),
    ...(failureMaps === undefined ? {} : { failureMaps: failureMaps as RequestBody['arguments']['failureMaps'] }),
  };
}

/** @throws {InvalidFormatError} for a text that is none of ours. */
export function argumentsIn({ values, ...failures }: RequestBody['arguments']): Record<string, unknown> {
  return receivedArguments({ ...(failures as Omit<SentArguments, 'values'>), values: recordIn(values) });
}

/** The details of an event. @throws {InvalidFormatError} for anything but an object. */
export function recordIn(text: string): Record<string, unknown> {
  const value = valueIn(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidFormatError('A message takes an object here');
  }
  return value as Record<string, unknown>;
}

/** @throws {InvalidFormatError} for anything but a list. */
export function listIn(text: string): readonly unknown[] {
  const value = valueIn(text);
  if (!Array.isArray(value)) throw new InvalidFormatError('A message takes a list here');
  return value;
}

/** The id of the request for an attempt: whoever asks for the attempt again, in whatever process, has the same. */
export function requestIdOf(idempotencyKey: string): string {
  const digest = hash('sha256', idempotencyKey, 'hex');
  // A UUID of the kind that each maker fills as it likes (RFC 9562, version 8).
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `8${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-');
}
