import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { task, taskFactory } from '../../../src/index.js';

/* Tasks whose process can be ended at the worst moment, and that write down what they do. */

/** When a step ends its process: while it works, or when its effect is there and its result is not told. */
export type Death = 'during' | 'after the effect';

export interface Step {
  readonly name: string;
  /** Its lines: `effect NAME KEY`, and `undo NAME KEY`. */
  readonly ledger: string;
  /** The first process that comes so far ends there. */
  readonly dies?: Death | undefined;
  /** Its effect comes when this file is there. */
  readonly gate?: string | undefined;
  readonly version?: string | undefined;
  /** How long it takes before its effect, and again after it, in milliseconds. @default no time */
  readonly lingerMs?: number | undefined;
}

export const step = taskFactory('step', ({ name, ledger, dies, gate, version, lingerMs = 0 }: Step) => {
  const note = (what: string, key: string) => appendFileSync(ledger, `${what} ${name} ${key}\n`);
  const linger = () => (lingerMs === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, lingerMs)));
  return task({
    name,
    version,
    provides: name,
    events: ['begun'],
    execute: async (_, { idempotencyKey, notify, signal }) => {
      note('begin', idempotencyKey);
      notify('begun', { pid: process.pid });
      if (dies === 'during') dieOnce(`${ledger}.${name}`);
      while (gate !== undefined && !existsSync(gate)) {
        signal.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await linger();
      note('effect', idempotencyKey);
      await linger();
      if (dies === 'after the effect') dieOnce(`${ledger}.${name}`);
      return name;
    },
    revert: (_, { idempotencyKey }) => note('undo', idempotencyKey),
  });
});

/** Keeps its process from its event loop, and leaves the processor to others. */
export const block = taskFactory('block', (name: string, ms: number) =>
  task({
    name,
    events: ['begun'],
    execute: async (_, { notify }) => {
      notify('begun');
      await new Promise((resolve) => setTimeout(resolve, 50));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    },
  }),
);

/** The first process that asks ends as if it was killed. */
export function dieOnce(marker: string): void {
  try {
    writeFileSync(marker, '', { flag: 'wx' });
  } catch {
    return;
  }
  process.kill(process.pid, 'SIGKILL');
}
