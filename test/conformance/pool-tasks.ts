import { task } from '../../src/atoms/function-task.js';
import { taskFactory } from '../../src/atoms/task-registry.js';
import type { TaskContext } from '../../src/atoms/task.js';
import { behavioursOf } from './behaviours.js';
import { taskOptionsOf } from './build-flow.js';
import type { TaskNode } from './case.js';

/* The tasks of cases, for threads and processes: they do what they do in the process of the engine. */

/** A task was called; the details have the method, and the entry of the trace. */
export const CALLED = 'called';
/** A task asks for suspension. */
export const SUSPEND = 'suspend';

/** The argument that holds the number of the call of this method, from 0. No case has an argument of this name. */
export const CALL_NUMBER = ' call number';

function called(node: TaskNode, method: 'execute' | 'revert') {
  return (given: object, context: TaskContext): unknown => {
    const { [CALL_NUMBER]: number, ...args } = given as Readonly<Record<string, unknown>>;
    const stage = {
      isDead: false,
      trace: (entry: unknown) => context.notify(CALLED, { entry, method }),
      suspend: () => context.notify(SUSPEND),
    };
    return behavioursOf(node, { next: () => Number(number) }, stage)[method](node.name, 'task', args, context);
  };
}

/** Makes a task of a case that can be run anywhere by its own description. */
export const taskOfCase = taskFactory('task of a case', (node: TaskNode) =>
  task({
    ...taskOptionsOf(node),
    events: [CALLED, SUSPEND],
    execute: called(node, 'execute'),
    revert: called(node, 'revert'),
  }),
);
