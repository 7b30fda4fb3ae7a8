import type { Codec } from './backend.js';
import { jsonCodec } from './codecs/json.js';
import { LimitedCodec } from './codecs/limited.js';

/** What every backend that keeps text can be told about values. */
export interface ValueOptions {
  /** How values become text: `jsonCodec`, `richCodec`, `encryptingCodec(…)`, or one of your own. @default jsonCodec */
  readonly codec?: Codec | undefined;
  /**
   * How many bytes, in UTF-8, the text of one value may take, from 512: a result, the history of a retry, all values
   * that were injected into a flow, or the metadata of one record. What takes more is refused with a
   * `ValueTooLargeError` before anything is written; a failure is shortened instead, and of those in the history of a retry
   * the oldest are left out at last. @default no limit
   */
  readonly maxValueBytes?: number | undefined;
}

/**
 * The codec that a backend is to write with, and to give out as its `codec`: what that refuses is refused before it
 * comes to the store.
 *
 * @throws {TypeError} for a limit that is none.
 */
export function valueFormat({ codec = jsonCodec, maxValueBytes }: ValueOptions): Codec {
  return maxValueBytes === undefined ? codec : new LimitedCodec(codec, maxValueBytes);
}
