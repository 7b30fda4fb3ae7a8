import { UnstorableValueError } from '../errors.js';
import type { Failure } from '../failure.js';
import type { Codec } from '../persistence/backend.js';
import { LimitedCodec } from '../persistence/codecs/limited.js';
import type { AtomDetail, Meta } from '../persistence/details.js';
import { encodeAttempts } from '../persistence/failure-text.js';
import { attemptToRecord } from '../persistence/records.js';

/** A number from 0 to 1 that no other is longer than as text. */
const LONGEST_PROGRESS = 1.1111111111111112e-100;

/** Checks that a store can keep a value, before anything is changed. Where nothing is encoded, it can. */
export class Storability {
  constructor(private readonly codec: Codec | undefined) {}

  /**
   * @param owner - Whose value it is, for the message.
   * @throws {UnstorableValueError}
   */
  check<Value>(value: Value, owner: () => string, encode = (codec: Codec, whole: Value) => codec.encode(whole)): void {
    if (this.codec === undefined) return;
    try {
      encode(this.codec, value);
    } catch (cause) {
      if (cause instanceof UnstorableValueError) throw cause.of(owner());
      throw new UnstorableValueError('$', `the codec cannot keep ${owner()}`, { cause });
    }
  }

  /** Checks what an atom returned; with a limit, that what a retry provided in all its attempts fits too. */
  checkResult(detail: AtomDetail, result: unknown, state: 'SUCCESS' | 'REVERTED'): void {
    this.check(result, () => `the result of ${detail.name}`);
    if (detail.kind === 'task' || state === 'REVERTED' || !(this.codec instanceof LimitedCodec)) return;
    const attempts = [...detail.results, { provided: result, failures: new Map<string, Failure>() }];
    this.check(attempts.map(attemptToRecord), () => `the attempts of ${detail.name}`, encodeAttempts);
  }

  /** Progress comes later, and then nothing may be refused: there is room for the longest. */
  checkAtomMeta(name: string, meta: Meta): void {
    this.check({ progressDetails: null, ...meta, progress: LONGEST_PROGRESS }, () => `the meta of ${name}`);
  }
}
