import { task, taskFactory } from 'flowstate';

/** A task that gives its number, and does nothing else. */
export const echo = taskFactory('echo', (index: number) =>
  task({ name: `t${index}`, provides: `v${index}`, execute: () => index }),
);
