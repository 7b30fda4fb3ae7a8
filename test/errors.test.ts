import { describe, expect, it } from 'vitest';

import * as errors from '../src/errors.js';
import { formatError } from '../src/failure.js';

const { FlowstateError, MissingDependenciesError } = errors;

describe('the errors of flowstate', () => {
  it.each(Object.entries(errors))('%s is a FlowstateError and an Error, by name too', (name, errorClass) => {
    expect(errorClass.name).toBe(name);
    expect(errorClass === FlowstateError || errorClass.prototype instanceof FlowstateError).toBe(true);
    expect(errorClass.prototype).toBeInstanceOf(Error);
  });

  it.each([
    [new errors.StorageConflictError('u', 3, 5), 'StorageConflictError', errors.StorageError],
    [new errors.UnstorableValueError('$.a', 'it is a function'), 'UnstorableValueError', errors.StorageError],
    [new errors.InvalidStateError('m'), 'InvalidStateError', errors.ExecutionError],
    [new errors.AmbiguousDependencyError('m'), 'AmbiguousDependencyError', errors.DependencyError],
    [new MissingDependenciesError('w', ['a']), 'MissingDependenciesError', errors.DependencyError],
    [new errors.DisallowedAccessError('m', 'PENDING'), 'DisallowedAccessError', FlowstateError],
    [new errors.NotFoundError('m'), 'NotFoundError', FlowstateError],
  ])('%s has its name and its parent', (error, name, parent) => {
    expect(error.name).toBe(name);
    expect(error).toBeInstanceOf(parent);
  });

  it('keep their cause', () => {
    const cause = new TypeError('deeper');
    expect(new errors.NotFoundError('m', { cause }).cause).toBe(cause);
    expect(new MissingDependenciesError('w', ['a'], { cause }).cause).toBe(cause);
    expect(new errors.DisallowedAccessError('m', null, { cause }).cause).toBe(cause);
    expect(new MissingDependenciesError('w', ['a'])).not.toHaveProperty('cause');
  });

  it('are shown with their causes, nested', () => {
    const error = new FlowstateError('broken', {
      cause: new errors.NotFoundError('broken, not found', { cause: new errors.ExecutionError('not executed') }),
    });
    expect(formatError(error)).toBe('broken\n  NotFoundError: broken, not found\n    ExecutionError: not executed');
  });
});

describe('MissingDependenciesError', () => {
  it('says who needs what', () => {
    const error = new MissingDependenciesError('the flow f', ['a', 'b']);
    expect(error.message).toBe('the flow f requires [a, b] but nothing provides them');
    expect(error).toMatchObject({ who: 'the flow f', missing: ['a', 'b'], method: undefined });
  });

  it('names the method and adds the hint', () => {
    const error = new MissingDependenciesError('task t', ['a'], { method: 'execute', hint: 'is it misspelt?' });
    expect(error.message).toBe("'execute' method on task t requires [a] but nothing provides it; is it misspelt?");
    expect(error.method).toBe('execute');
  });
});

describe('errors with facts', () => {
  it('say what was expected and found', () => {
    expect(new errors.StorageConflictError('u', 3, 5)).toMatchObject({
      flowUuid: 'u',
      expectedRevision: 3,
      foundRevision: 5,
      message: 'The run u was changed by somebody else: expected revision 3, found 5',
    });
    expect(new errors.UnstorableValueError('$.rows[3].when', 'it is a Date')).toMatchObject({
      path: '$.rows[3].when',
      message: 'The value at $.rows[3].when cannot be stored: it is a Date',
    });
    expect(new errors.DisallowedAccessError('not yet', 'RUNNING').state).toBe('RUNNING');
  });
});
