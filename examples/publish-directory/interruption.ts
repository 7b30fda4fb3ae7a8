import type { Engine } from 'flowstate';
import { InvalidStateError } from 'flowstate';

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export interface Interruption {
  /** The exit code of who was interrupted so. */
  code(): 130 | 143;
  stop(): void;
}

/** Ctrl-C lets what is under way come to its end, and starts nothing more. A second one ends the process at once. */
export function suspendOnSignals(engine: Engine): Interruption {
  let code: 130 | 143 = CODES.SIGINT;
  const suspend = (signal: keyof typeof CODES) => () => {
    code = CODES[signal];
    stop();
    try {
      engine.suspend();
    } catch (error) {
      if (!(error instanceof InvalidStateError)) throw error;
      // It has hardly begun: there is nothing to wait for.
      process.exit(code);
    }
  };
  const handlers = { SIGINT: suspend('SIGINT'), SIGTERM: suspend('SIGTERM') };
  const stop = (): void => {
    process.off('SIGINT', handlers.SIGINT);
    process.off('SIGTERM', handlers.SIGTERM);
  };
  process.on('SIGINT', handlers.SIGINT);
  process.on('SIGTERM', handlers.SIGTERM);
  return { code: () => code, stop };
}
