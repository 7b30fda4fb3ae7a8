import { Retry } from '../atoms/retry.js';
import { Task } from '../atoms/task.js';
import { Failure } from '../failure.js';
import type { Work } from './executor.js';

type Hook = 'preExecute' | 'postExecute' | 'preRevert' | 'postRevert';

/**
 * Calls one method of an atom, with its hooks and validators.
 *
 * What any of them throws is the atom's failure (D7). The hook that comes after is called whatever happened before;
 * of two failures the first counts. `undefined` counts as null.
 *
 * @returns the result or a `Failure`, or a promise of one of them that never rejects.
 */
export function perform(work: Work): unknown {
  return isPlain(work) ? performPlain(work) : performWithHooks(work);
}

/** Whether nothing but the method itself is to be called. */
function isPlain({ atom, method }: Work): boolean {
  const base = atom.kind === 'task' ? Task.prototype : Retry.prototype;
  if (method === 'revert') return atom.preRevert === base.preRevert && atom.postRevert === base.postRevert;
  if (atom.checkArguments !== undefined || atom.checkResult !== undefined) return false;
  return atom.preExecute === base.preExecute && atom.postExecute === base.postExecute;
}

function hooksOf(method: Work['method']): { pre: Hook; post: Hook } {
  return method === 'execute' ? { pre: 'preExecute', post: 'postExecute' } : { pre: 'preRevert', post: 'postRevert' };
}

function performPlain(work: Work): unknown {
  try {
    const result = call(work, work.args);
    if (result instanceof Promise) return result.then(normalized, failed);
    return isThenable(result) ? Promise.resolve(result).then(normalized, failed) : normalized(result);
  } catch (error) {
    return Failure.from(error);
  }
}

async function performWithHooks(work: Work): Promise<unknown> {
  const { atom, method, args } = work;
  const { pre, post } = hooksOf(method);
  let outcome: unknown;
  try {
    const checked = method === 'execute' ? await checkedArguments(work) : args;
    await atom[pre]();
    outcome = normalized(await call(work, checked));
    if (method === 'execute' && atom.checkResult !== undefined) outcome = normalized(await atom.checkResult(outcome));
  } catch (error) {
    outcome = Failure.from(error);
  }
  try {
    await atom[post]();
  } catch (error) {
    if (!(outcome instanceof Failure)) outcome = Failure.from(error);
  }
  return outcome;
}

/** What validators made of the arguments; what the engine adds is not theirs to check. */
async function checkedArguments({ atom, args }: Work): Promise<Record<string, unknown>> {
  return atom.checkArguments === undefined ? args : { ...args, ...(await atom.checkArguments(args)) };
}

function call(work: Work, args: Record<string, unknown>): unknown {
  // What an atom takes was matched against what there is when its arguments were looked up.
  const { atom, method, context } = work;
  return method === 'execute' ? atom.execute(args as never, context as never) : atom.revert(args, context as never);
}

function failed(error: unknown): Failure {
  return Failure.from(error);
}

function normalized(result: unknown): unknown {
  return result === undefined ? null : result;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value instanceof Promise ||
    (typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function')
  );
}
