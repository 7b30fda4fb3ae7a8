import type { Failure } from '../../src/failure.js';
import type { AtomDetail } from '../../src/persistence/details.js';
import type { AtomFacts, PictureFailure } from './run-picture.js';
import type { ValueWords } from './value-words.js';

export interface FactsContext {
  readonly words: ValueWords;
  /** Whether nothing that a task was given, gave or threw may be shown, as its store keeps secrets. */
  readonly areSecret: boolean;
}

const SECRET = 'secret';

/** States in which what an atom provided is kept, if it was not used up. */
const WITH_RESULT: ReadonlySet<string | null> = new Set([
  'SUCCESS',
  'REVERTING',
  'REVERTED',
  'REVERT_FAILURE',
  'RETRYING',
]);
const UNDONE: ReadonlySet<string | null> = new Set(['REVERTED']);

/**
 * What the page shows of an atom.
 *
 * @param args - Its arguments in words, in the order of what it takes.
 */
export function factsOf(
  part: number,
  detail: AtomDetail | undefined,
  args: readonly (string | null)[],
  { words, areSecret }: FactsContext,
): AtomFacts {
  const inWords = (value: unknown) => (areSecret ? SECRET : words.of(value));
  const failureOf = (failure: Failure | null): PictureFailure | null => {
    if (failure === null) return null;
    if (areSecret) return { message: `${failure.name}: ${SECRET}`, stack: null };
    return {
      message: words.text(`${failure.name}: ${failure.message}`),
      stack: failure.stack === null ? null : words.text(failure.stack),
    };
  };
  if (detail === undefined) {
    return {
      part,
      state: 'PENDING',
      intention: 'EXECUTE',
      progress: null,
      arguments: args,
      result: null,
      failure: null,
      revertResult: null,
      revertFailure: null,
      attempts: [],
    };
  }
  const { state, meta, failure, revertFailure, intention } = detail;
  const progress = meta['progress'];
  const result = detail.kind === 'retry' ? detail.results.at(-1)?.provided : detail.results;
  const isThere = failure === null && WITH_RESULT.has(state) && result !== undefined;
  return {
    part,
    state: state ?? 'PENDING',
    intention,
    progress: typeof progress === 'number' ? progress : null,
    arguments: args,
    result: isThere ? inWords(result) : null,
    failure: failureOf(failure),
    revertResult: UNDONE.has(state) && hasValue(detail.revertResults) ? inWords(detail.revertResults) : null,
    revertFailure: failureOf(revertFailure),
    attempts:
      detail.kind === 'task'
        ? []
        : detail.results.map(({ provided, failures }) => ({
            provided: inWords(provided),
            failures: [...failures].map(([atom, each]) => ({ atom, message: failureOf(each)?.message ?? '' })),
          })),
  };
}

function hasValue(value: unknown): boolean {
  return value !== undefined && value !== null;
}
