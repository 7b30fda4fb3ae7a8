import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../environment.js';
import { InvalidFormatError } from '../../errors.js';
import type { MessageProperties } from '../transport.js';

/** Secrets by their ids: several, so that one can be replaced while messages signed with it are on their way. */
export type Keys = Readonly<Record<string, string>>;

export interface SigningOptions {
  /** Secrets that signatures are checked with. Without them nothing is signed or checked. */
  readonly keys?: Keys | undefined;
  /** The one to sign with. @default the only one */
  readonly keyId?: string | undefined;
  /** How far clocks of two hosts may be apart, in milliseconds. @default 7200000, two hours */
  readonly maxSkewMs?: number | undefined;
  /** How old a signed message may be, in milliseconds; `maxSkewMs` is added. @default 86400000, one day */
  readonly messageTtlMs?: number | undefined;
}

const DEFAULT_SKEW_MS = 2 * 60 * 60 * 1000;
const DEFAULT_TTL_MS = 24 * 60 * 60 * 1000;

const HEADERS = { key: 'flowstate-key', at: 'flowstate-sent-at', mac: 'flowstate-signature' } as const;

/** What tells a signed message from all others: two that were signed at different times differ. */
export interface SignatureMark {
  readonly signature: string;
  /** When it was signed, in milliseconds since 1970, by the clock of whoever did. */
  readonly at: number;
}

/** Of a message whose signature was checked. */
export function signatureMark({ headers = {} }: MessageProperties): SignatureMark {
  return { signature: headers[HEADERS.mac] ?? '', at: Number(headers[HEADERS.at]) };
}

/** Signs messages and checks signatures. A signature holds for the place that a message was sent to, and no other. */
export interface Signing {
  headersFor(place: string, properties: MessageProperties, body: Uint8Array): Readonly<Record<string, string>>;
  /** @throws {InvalidFormatError} saying what is wrong with the signature. */
  check(place: string, properties: MessageProperties, body: Uint8Array): void;
}

/** @throws {RangeError|TypeError} naming the option, what it takes and what it got. */
export function signing({ keys, keyId, maxSkewMs, messageTtlMs }: SigningOptions, clock: Clock): Signing | null {
  for (const [option, value] of Object.entries({ maxSkewMs, messageTtlMs })) {
    if (value !== undefined && !(typeof value === 'number' && value >= 0)) {
      throw new RangeError(`${option} takes milliseconds from 0, got ${String(value)}`);
    }
  }
  if (keys === undefined) {
    if (keyId !== undefined) throw new RangeError('keyId is of use with keys only');
    return null;
  }
  if (typeof (keys as unknown) !== 'object') throw new TypeError('keys takes secrets by their ids');
  const secrets = new Map(Object.entries(keys));
  for (const [id, secret] of secrets) {
    if (typeof secret !== 'string' || secret === '') throw new TypeError(`keys takes text that is not empty for ${id}`);
  }
  const [first, ...others] = secrets.keys();
  const own = keyId ?? first;
  const secret = own === undefined ? undefined : secrets.get(own);
  if (own === undefined || secret === undefined || (keyId === undefined && others.length > 0)) {
    const known = [...secrets.keys()].join(', ');
    throw new RangeError(`keyId takes one of the ids in keys (${known}), got ${String(keyId)}`);
  }
  const skew = maxSkewMs ?? DEFAULT_SKEW_MS;
  const ttl = messageTtlMs ?? DEFAULT_TTL_MS;
  return {
    headersFor(place, properties, body) {
      const at = String(clock.now());
      return { [HEADERS.key]: own, [HEADERS.at]: at, [HEADERS.mac]: macOf(secret, place, own, at, properties, body) };
    },
    check(place, properties, body) {
      const { [HEADERS.key]: id, [HEADERS.at]: at, [HEADERS.mac]: mac } = properties.headers ?? {};
      if (id === undefined || at === undefined || mac === undefined) throw new InvalidFormatError('it is not signed');
      const known = secrets.get(id);
      if (known === undefined)
        throw new InvalidFormatError(`it is signed with the key ${excerpt(id)}, which is not known`);
      if (!isEqual(mac, macOf(known, place, id, at, properties, body))) {
        throw new InvalidFormatError('its signature does not fit');
      }
      const age = clock.now() - Number(at);
      if (!(age >= -skew && age <= ttl + skew)) {
        throw new InvalidFormatError(`it was sent at ${excerpt(at)}, which is too far from now`);
      }
    },
  };
}

function macOf(
  secret: string,
  place: string,
  keyId: string,
  at: string,
  { type, replyTo = '', correlationId = '' }: MessageProperties,
  body: Uint8Array,
): string {
  // As a list no two different messages have one text.
  const head = JSON.stringify([place, keyId, at, type, replyTo, correlationId]);
  return createHmac('sha256', secret).update(head).update('\n').update(body).digest('base64url');
}

function isEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
