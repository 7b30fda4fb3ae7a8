/** The root of what flowstate throws. */
export class FlowstateError extends Error {
  override readonly name: string = 'FlowstateError';
}

/** A store could not read, write or delete; `cause` says why. */
export class StorageError extends FlowstateError {
  override readonly name: string = 'StorageError';
}

/** Somebody else wrote the same run: it is not at the revision that was expected. */
export class StorageConflictError extends StorageError {
  override readonly name: string = 'StorageConflictError';
  readonly flowUuid: string;
  readonly expectedRevision: number;
  readonly foundRevision: number;

  constructor(
    flowUuid: string,
    expectedRevision: number,
    foundRevision: number,
    { reason, ...options }: ErrorOptions & { readonly reason?: string } = {},
  ) {
    const message = `expected revision ${expectedRevision}, found ${foundRevision}`;
    super(`The run ${flowUuid} was changed by somebody else: ${reason ?? message}`, options);
    this.flowUuid = flowUuid;
    this.expectedRevision = expectedRevision;
    this.foundRevision = foundRevision;
  }
}

/** The claim under which a run was written has been taken over by somebody else. */
export class StaleFenceError extends StorageConflictError {
  override readonly name = 'StaleFenceError';
  readonly fence: number;
  readonly foundFence: number;

  constructor(flowUuid: string, revisions: readonly [expected: number, found: number], fence: number, found: number) {
    super(flowUuid, ...revisions, { reason: `it takes the fence token ${found} or a later one, got ${fence}` });
    this.fence = fence;
    this.foundFence = found;
  }
}

/** A value cannot be kept by the store as it is. */
export class UnstorableValueError extends StorageError {
  override readonly name: string = 'UnstorableValueError';
  /** Where in the value, such as `$.rows[3].when`. */
  readonly path: string;
  /** What is wrong there. It quotes nothing of the value. */
  readonly reason: string;

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`The value at ${path} cannot be stored: ${reason}`, options);
    this.path = path;
    this.reason = reason;
  }

  /** The same, saying whose value it is: `the result of b`. */
  of(owner: string): UnstorableValueError {
    return new UnstorableValueError(this.path, `${this.reason}, in ${owner}`, causeOf(this));
  }
}

/** A value takes more bytes in the store than the backend's `maxValueBytes` allows. */
export class ValueTooLargeError extends UnstorableValueError {
  override readonly name = 'ValueTooLargeError';
  /** Bytes that its text takes, in UTF-8. */
  readonly size: number;
  readonly limit: number;

  constructor(size: number, limit: number, { owner, ...options }: ErrorOptions & { owner?: string } = {}) {
    const whose = owner === undefined ? '' : `, in ${owner}`;
    super('$', `it takes ${size} bytes, more than the ${limit} of maxValueBytes${whose}`, options);
    this.size = size;
    this.limit = limit;
  }

  override of(owner: string): ValueTooLargeError {
    return new ValueTooLargeError(this.size, this.limit, { owner, ...causeOf(this) });
  }
}

function causeOf(error: Error): ErrorOptions {
  return error.cause === undefined ? {} : { cause: error.cause };
}

/** An engine could not carry out what it was asked. */
export class ExecutionError extends FlowstateError {
  override readonly name: string = 'ExecutionError';
}

/** A transition that the machines do not have, or a call out of order. */
export class InvalidStateError extends ExecutionError {
  override readonly name = 'InvalidStateError';
}

/** An atom, or a run, took longer than it may. */
export class TimeoutError extends ExecutionError {
  override readonly name = 'TimeoutError';
  readonly limitMs: number;
  /** Name of the atom; null for a run. */
  readonly atom: string | null;
  /** null for a run. */
  readonly method: 'execute' | 'revert' | null;

  constructor(
    what: string,
    limitMs: number,
    { atom = null, method = null }: Partial<Pick<TimeoutError, 'atom' | 'method'>> = {},
  ) {
    super(`${what} took longer than ${limitMs} ms`);
    this.limitMs = limitMs;
    this.atom = atom;
    this.method = method;
  }
}

/** The thread, process or worker that ran an atom ended before the atom did, or is not heard of any more. */
export class WorkerLostError extends ExecutionError {
  override readonly name = 'WorkerLostError';
  /** null for a process that was ended by a signal, and for a worker elsewhere. */
  readonly exitCode: number | null;
  readonly signal: string | null;

  /** @param end - How it ended, or what is known of it instead. */
  constructor(
    who: string,
    end: { readonly exitCode: number | null; readonly signal: string | null } | string,
    options?: ErrorOptions,
  ) {
    const { exitCode, signal } = typeof end === 'string' ? { exitCode: null, signal: null } : end;
    const how =
      typeof end === 'string' ? end : `ended ${signal === null ? `with exit code ${exitCode}` : `by ${signal}`}`;
    super(`${who} ${how}`, options);
    this.exitCode = exitCode;
    this.signal = signal;
  }
}

/** No worker began with an atom in time. */
export class RequestTimeoutError extends ExecutionError {
  override readonly name = 'RequestTimeoutError';
  /** Name of the atom. */
  readonly atom: string;
  readonly limitMs: number;

  constructor(atom: string, limitMs: number, why: string) {
    super(`No worker has begun with ${atom} within ${limitMs} ms: ${why}`);
    this.atom = atom;
    this.limitMs = limitMs;
  }
}

/** A value cannot be handed to another thread or process, or back. */
export class UncrossableValueError extends ExecutionError {
  override readonly name = 'UncrossableValueError';
  /** Name of the atom. */
  readonly atom: string;
  /** What the value is of the atom, such as `argument 'image'` or `result`. */
  readonly what: string;

  constructor(atom: string, what: string, where: string, options?: ErrorOptions) {
    const cause: unknown = options?.cause;
    const isSaid = typeof cause === 'object' && cause !== null && 'message' in cause;
    const why = isSaid ? `: ${String(cause.message)}` : '';
    super(`The ${what} of ${atom} cannot cross ${where}${why}`, options);
    this.atom = atom;
    this.what = what;
  }
}

/** A broker could not be reached, or did not take a message; `cause` says why. */
export class TransportError extends FlowstateError {
  override readonly name = 'TransportError';
}

/** The parts of a flow do not fit together: a cycle, or something that is needed and not there. */
export class DependencyError extends FlowstateError {
  override readonly name: string = 'DependencyError';
}

/** A symbol is needed that several atoms provide. */
export class AmbiguousDependencyError extends DependencyError {
  override readonly name = 'AmbiguousDependencyError';
}

/** Something is needed that nothing provides. */
export class MissingDependenciesError extends DependencyError {
  override readonly name = 'MissingDependenciesError';
  /** The flow or the atom that needs it. */
  readonly who: string;
  /** Argument names, sorted. */
  readonly missing: readonly string[];
  readonly method: 'execute' | 'revert' | undefined;

  constructor(
    who: string,
    missing: readonly string[],
    options: { method?: 'execute' | 'revert'; hint?: string; cause?: unknown } = {},
  ) {
    const subject = options.method === undefined ? who : `'${options.method}' method on ${who}`;
    super(
      `${subject} requires [${missing.join(', ')}] but nothing provides ${missing.length === 1 ? 'it' : 'them'}` +
        (options.hint === undefined ? '' : `; ${options.hint}`),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.who = who;
    this.missing = missing;
    this.method = options.method;
  }
}

/** A flow holds something that cannot be compiled. */
export class CompilationError extends FlowstateError {
  override readonly name = 'CompilationError';
}

/** Two versions do not go together. */
export class IncompatibleVersionError extends FlowstateError {
  override readonly name: string = 'IncompatibleVersionError';
}

/** The same name or entry twice. */
export class DuplicateError extends FlowstateError {
  override readonly name = 'DuplicateError';
}

/** Something was asked for and is not there. */
export class NotFoundError extends FlowstateError {
  override readonly name = 'NotFoundError';
}

/** Unexpectedly nothing there. */
export class EmptyError extends FlowstateError {
  override readonly name = 'EmptyError';
}

/** Several choices and no rule to choose by. */
export class MultipleChoicesError extends FlowstateError {
  override readonly name = 'MultipleChoicesError';
}

/** Data that does not have the form that it should have. */
export class InvalidFormatError extends FlowstateError {
  override readonly name: string = 'InvalidFormatError';
}

/** A result was read in a state in which there is none. */
export class DisallowedAccessError extends FlowstateError {
  override readonly name = 'DisallowedAccessError';
  readonly state: string | null;

  constructor(message: string, state: string | null, options?: ErrorOptions) {
    super(message, options);
    this.state = state;
  }
}

/** A thing that this part cannot do. */
export class UnsupportedError extends FlowstateError {
  override readonly name = 'UnsupportedError';
}
