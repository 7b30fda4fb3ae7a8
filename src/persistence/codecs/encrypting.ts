import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { systemRandomBytes } from '../../environment.js';
import { InvalidFormatError, UnstorableValueError } from '../../errors.js';
import type { Codec } from '../backend.js';
import { jsonCodec } from './json.js';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** How a text begins, with the version of its form. */
const FORM = 'aes256gcm.1';
const KEY_ID = /^[\w.-]{1,64}$/;
const TEXT = /^aes256gcm\.1:([\w.-]{1,64}):([\w-]*)$/;

export interface EncryptingCodecOptions {
  /** Keys of 32 bytes each, by id. An id is up to 64 letters, digits, and `_`, `.`, `-`; it is stored in the clear. */
  readonly keys: Readonly<Record<string, Uint8Array>>;
  /** The id of the key with which is written. Those of the others only read. */
  readonly current: string;
  /** What turns values into the text that is encrypted. @default jsonCodec */
  readonly inner?: Codec | undefined;
  /** Where nonces come from. Used twice, one gives the values away: only tests replace it. @default the platform's */
  readonly randomBytes?: ((size: number) => Uint8Array) | undefined;
}

/**
 * Keeps values encrypted with AES-256-GCM: who has the store and no key can neither read nor change them.
 *
 * To rotate keys, add one and make it `current`; the old one is needed as long as anything that it wrote is kept. Do so
 * long before a key has written 2³² values. Names, states, ids, times and the length of values are not encrypted, and a
 * text is not bound to its place: who can write to the store can put one value where another was.
 *
 * Error texts name what is wrong with a value and the path to it, hence names of properties, and quote no values.
 *
 * @throws {TypeError} for keys that have another length or type, and ids that are unknown or cannot be stored.
 */
export function encryptingCodec({
  keys,
  current,
  inner = jsonCodec,
  randomBytes = systemRandomBytes,
}: EncryptingCodecOptions): Codec {
  const ring = new Map(Object.entries(keys).map(([id, key]) => [id, checkedKey(id, key)]));
  const ids = [...ring.keys()].join(', ');
  const currentKey = ring.get(current);
  if (currentKey === undefined) {
    throw new TypeError(`current takes the id of one of the keys, ${ids === '' ? 'and there are none' : ids}`);
  }
  return {
    keepsSecrets: true,

    encode(value) {
      const text = encodeWithin(inner, value);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, currentKey, nonce).setAAD(headerOf(current));
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${FORM}:${current}:${sealed.toString('base64url')}`;
    },

    decode(text) {
      const [, id, body] = TEXT.exec(text) ?? [];
      if (id === undefined || body === undefined) {
        throw new InvalidFormatError('What is stored is no text of the encrypting codec');
      }
      const key = ring.get(id);
      if (key === undefined) {
        throw new InvalidFormatError(`What is stored is encrypted with the key '${id}', and there are only ${ids}`);
      }
      return decodeWithin(inner, opened(key, id, body));
    },
  };
}

function checkedKey(id: string, key: unknown): KeyObject {
  if (!KEY_ID.test(id)) {
    throw new TypeError(`keys takes ids of 1 to 64 letters, digits, _, . and -, got ${JSON.stringify(id)}`);
  }
  if (!(key instanceof Uint8Array)) throw new TypeError(`keys.${id} takes ${KEY_BYTES} bytes, got a ${typeof key}`);
  if (key.length !== KEY_BYTES) throw new TypeError(`keys.${id} takes ${KEY_BYTES} bytes, got ${key.length}`);
  return createSecretKey(key);
}

/** What is authenticated beside the value. */
function headerOf(id: string): Buffer {
  return Buffer.from(`${FORM}:${id}`);
}

function opened(key: KeyObject, id: string, body: string): string {
  const sealed = Buffer.from(body, 'base64url');
  const end = sealed.length - TAG_BYTES;
  // Decoding passes over what it does not know: written anew, the text has to be the same.
  if (end < NONCE_BYTES || sealed.toString('base64url') !== body) throw tampered(id);
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES))
      .setAAD(headerOf(id))
      .setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw tampered(id, cause);
  }
}

function tampered(id: string, cause?: unknown): InvalidFormatError {
  return new InvalidFormatError(
    `What is stored was changed or cut off, or is encrypted with another key that is called '${id}'`,
    cause === undefined ? undefined : { cause },
  );
}

const HALF_CHARACTER = /\p{Surrogate}/u;

/** Causes are left out: they may quote what is to be kept secret. */
function encodeWithin(inner: Codec, value: unknown): string {
  let text: string;
  try {
    text = inner.encode(value);
  } catch (error) {
    if (error instanceof UnstorableValueError) throw new UnstorableValueError(error.path, error.reason);
    throw new UnstorableValueError('$', 'the codec within refuses it');
  }
  if (HALF_CHARACTER.test(text)) throw new UnstorableValueError('$', 'the codec within wrote half a character');
  return text;
}

function decodeWithin(inner: Codec, text: string): unknown {
  try {
    return inner.decode(text);
  } catch {
    throw new InvalidFormatError('What is stored was decrypted, and the codec within cannot read it');
  }
}
