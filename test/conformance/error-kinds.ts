import {
  AmbiguousDependencyError,
  CompilationError,
  DependencyError,
  DisallowedAccessError,
  DuplicateError,
  EmptyError,
  ExecutionError,
  FlowstateError,
  IncompatibleVersionError,
  InvalidFormatError,
  InvalidStateError,
  MissingDependenciesError,
  MultipleChoicesError,
  NotFoundError,
  StorageError,
  UnsupportedError,
} from '../../src/errors.js';
import { WrappedFailureError } from '../../src/failure.js';
import type { Failure } from '../../src/failure.js';

/** Raised by behaviours. Not registered for rebuilding: read back, it is only its record (D4). */
class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}

/** Raised by behaviours. */
class ValueError extends Error {
  override readonly name = 'ValueError';
}

/** Raised by behaviours. */
class ArithmeticError extends Error {
  override readonly name = 'ArithmeticError';
}

/** Raised by behaviours. */
class LookupError extends Error {
  override readonly name = 'LookupError';
}

type ErrorClass = new (message: string) => Error;

const raisedByBehaviours: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  ['RuntimeError', RuntimeError],
  ['ValueError', ValueError],
  ['ArithmeticError', ArithmeticError],
  ['LookupError', LookupError],
]);

/** The error that a behaviour or a decider raises. */
export function makeError(type: string, message: string): Error {
  const RaisedError = raisedByBehaviours.get(type);
  return RaisedError === undefined ? Object.assign(new Error(message), { name: type }) : new RaisedError(message);
}

/** flowstate's classes and what TaskFlow calls them. */
const taskflowNames: readonly (readonly [name: string, taskflow: string])[] = [
  [FlowstateError.name, 'TaskFlowException'],
  [StorageError.name, 'StorageFailure'],
  [ExecutionError.name, 'ExecutionFailure'],
  [InvalidStateError.name, 'InvalidState'],
  [InvalidFormatError.name, 'InvalidFormat'],
  [DependencyError.name, 'DependencyFailure'],
  [AmbiguousDependencyError.name, 'AmbiguousDependency'],
  [MissingDependenciesError.name, 'MissingDependencies'],
  [CompilationError.name, 'CompilationFailure'],
  [IncompatibleVersionError.name, 'IncompatibleVersion'],
  [DuplicateError.name, 'Duplicate'],
  [NotFoundError.name, 'NotFound'],
  [EmptyError.name, 'Empty'],
  [MultipleChoicesError.name, 'MultipleChoices'],
  [DisallowedAccessError.name, 'DisallowedAccess'],
  [UnsupportedError.name, 'NotImplementedError'],
  [WrappedFailureError.name, 'WrappedFailure'],
  [RangeError.name, 'ValueError'],
];

const kinds: ReadonlyMap<string, string> = new Map(taskflowNames);

/** TaskFlow's name of a kind of error; a class that TaskFlow does not have keeps its own. */
function kindOf(name: string): string {
  return kinds.get(name) ?? name;
}

/** A failure as the cases write it, without the wrapper that marks it among values. */
export interface FailureBody {
  readonly type: string;
  readonly message: string;
}

/** A failure as the cases write it. */
export function failureBody(failure: Failure): FailureBody {
  return { type: kindOf(failure.name), message: failure.message };
}

/** What a run threw, as the cases write it. */
export function describeThrown(thrown: unknown): Readonly<Record<string, unknown>> {
  if (thrown instanceof WrappedFailureError) {
    return { type: 'WrappedFailure', message: thrown.message, failures: thrown.failures.map(failureBody) };
  }
  if (thrown instanceof MissingDependenciesError) {
    return { type: 'MissingDependencies', message: thrown.message, missing: thrown.missing };
  }
  if (thrown instanceof Error) return { type: kindOf(thrown.name), message: thrown.message };
  return { type: typeof thrown, message: String(thrown) };
}
