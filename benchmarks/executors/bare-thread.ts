import { noop } from './tasks.js';

/** What a thread of piscina does. */
export function run(args: object): unknown {
  return noop.execute(args, undefined as never);
}
