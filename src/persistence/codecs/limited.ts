import { ValueTooLargeError } from '../../errors.js';
import type { Codec } from '../backend.js';

/**
 * The least limit that there may be: room for a task's progress and for what is left of a failure, encrypted or not.
 */
const LEAST_LIMIT = 512;

/** A codec whose texts are never longer than `maxValueBytes`, counted in UTF-8. */
export class LimitedCodec implements Codec {
  readonly keepsSecrets: boolean;

  /** @throws {TypeError} for a limit that is none. */
  constructor(
    readonly within: Codec,
    readonly maxValueBytes: number,
  ) {
    if (!Number.isSafeInteger(maxValueBytes) || maxValueBytes < LEAST_LIMIT) {
      throw new TypeError(`maxValueBytes takes a whole number from ${LEAST_LIMIT}, got ${String(maxValueBytes)}`);
    }
    this.keepsSecrets = within.keepsSecrets ?? false;
  }

  /** @throws {ValueTooLargeError} for a value that takes more. */
  encode(value: unknown): string {
    const text = this.within.encode(value);
    const size = Buffer.byteLength(text);
    if (size > this.maxValueBytes) throw new ValueTooLargeError(size, this.maxValueBytes);
    return text;
  }

  decode(text: string): unknown {
    return this.within.decode(text);
  }
}
