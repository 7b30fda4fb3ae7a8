import type { Engine } from '../engines/engine.js';
import type { Failure } from '../failure.js';
import type { DumpingListenerOptions } from './dumping-listener.js';
import { DumpingListener } from './dumping-listener.js';

/** What is printed to: `process.stdout`, or whatever a test puts in its place. */
export interface Printer {
  write(text: string): unknown;
}

export interface PrintingListenerOptions extends DumpingListenerOptions {
  /** @default process.stdout */
  readonly output?: Printer | undefined;
}

/**
 * Prints what becomes of the flow and of its tasks; failures with their stacks.
 *
 * @see TaskFlow `listeners/printing.py`, `PrintingListener`.
 */
export class PrintingListener extends DumpingListener {
  readonly #output: Printer;

  constructor(engine: Engine, { output = process.stdout, ...options }: PrintingListenerOptions = {}) {
    super(engine, options);
    this.#output = output;
  }

  protected override dump(text: string, failure?: Failure): void {
    this.#output.write(failure === undefined ? `${text}\n` : `${text}\n${failure.stack ?? ''}\n`);
  }
}
