import { noop } from './tasks.js';

/* The least that a process of a pool does: it gets a message, calls the task, and answers. */

process.on('message', ({ id, args }: { readonly id: number; readonly args: object }) => {
  process.send?.({ id, value: noop.execute(args, undefined as never) });
});
