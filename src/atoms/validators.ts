import type { StandardSchemaV1 } from '@standard-schema/spec';
import { FlowstateError } from '../errors.js';
import { bareCopy } from './arguments.js';

/** Names with Standard Schema validators: zod, valibot, arktype and others make them. */
export type Validators = Readonly<Record<string, StandardSchemaV1>>;

/** A value was found, and is not what the atom's validator takes. */
export class ValidationError extends FlowstateError {
  override readonly name = 'ValidationError';
  /** Name of the atom. */
  readonly atom: string;
  /** Name of the argument, or of what is provided. */
  readonly value: string;
  readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(
    atom: string,
    kind: 'argument' | 'result',
    value: string,
    issues: readonly StandardSchemaV1.Issue[],
    options?: ErrorOptions,
  ) {
    super(`The ${kind} '${value}' of ${atom} is not valid: ${issues.map(describeIssue).join('; ')}`, options);
    this.atom = atom;
    this.value = value;
    this.issues = issues;
  }
}

function describeIssue({ message, path }: StandardSchemaV1.Issue): string {
  if (path === undefined || path.length === 0) return message;
  return `${message} (at ${path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')})`;
}

/** A validator that takes anything. */
class Unchecked<Value> implements StandardSchemaV1<Value, Value> {
  readonly '~standard': StandardSchemaV1.Props<Value, Value> = {
    version: 1,
    vendor: 'flowstate',
    // Its maker answers for the type.
    validate: (value) => ({ value: value as Value }),
  };
}

/**
 * Says the type of a value, and checks nothing: `requires: { flight: typed<string>() }`.
 *
 * Where a validator is wanted, but the value comes from a place that can be trusted.
 */
export function typed<Value>(): StandardSchemaV1<Value, Value> {
  return new Unchecked<Value>();
}

export function isValidator(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  const standard: unknown = Reflect.get(value, '~standard');
  return typeof standard === 'object' && standard !== null && 'validate' in standard;
}

/** Checks values by name and puts what the validators give in their place; gives a copy. */
export type Check = (values: Record<string, unknown>) => Record<string, unknown> | Promise<Record<string, unknown>>;

/**
 * Makes one check of several validators.
 *
 * A value that is not there is not checked: whether it has to be there is not for a validator to say.
 *
 * @returns undefined when nothing is to be checked. The check is synchronous when all validators are, and throws (or
 * rejects with) a `ValidationError` for the first value that is not valid.
 */
export function checkOf(
  atom: string,
  kind: 'argument' | 'result',
  validators: ReadonlyMap<string, StandardSchemaV1>,
): Check | undefined {
  const checked = [...validators].filter(([, validator]) => !(validator instanceof Unchecked));
  if (checked.length === 0) return undefined;
  return (values) => {
    const copy = bareCopy(values);
    const waiting: Promise<void>[] = [];
    for (const [name, validator] of checked) {
      if (!Object.hasOwn(copy, name)) continue;
      const take = (result: StandardSchemaV1.Result<unknown>): void => {
        if (result.issues !== undefined) throw new ValidationError(atom, kind, name, result.issues);
        copy[name] = result.value;
      };
      const result = validator['~standard'].validate(copy[name]);
      if (result instanceof Promise) waiting.push(result.then(take));
      else take(result);
    }
    return waiting.length === 0 ? copy : Promise.all(waiting).then(() => copy);
  };
}
