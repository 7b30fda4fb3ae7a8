import type { Engine } from '../engines/engine.js';
import type { Failure } from '../failure.js';
import type { DumpingListenerOptions } from './dumping-listener.js';
import { DumpingListener } from './dumping-listener.js';
import type { LogLevel } from './logger.js';
import { checkLevel, log } from './logger.js';

export interface LoggingListenerOptions extends DumpingListenerOptions {
  /** @default 'debug' */
  readonly level?: LogLevel | undefined;
}

/**
 * Logs what becomes of the flow and of its tasks, at one level; failures with their stacks.
 *
 * @see TaskFlow `listeners/logging.py`, `LoggingListener`. Differs: without a logger nothing is logged.
 */
export class LoggingListener extends DumpingListener {
  readonly #level: LogLevel;

  constructor(engine: Engine, { level = 'debug', ...options }: LoggingListenerOptions = {}) {
    super(engine, options);
    this.#level = checkLevel('level', level);
  }

  protected override dump(text: string, failure?: Failure): void {
    log(this.logger, this.#level, failure === undefined ? text : `${text}\n${failure.stack ?? ''}`);
  }
}
