import type { Stopping } from './executor.js';

/** What a signal tells. */
export function stoppingOf(signal: AbortSignal): Stopping {
  return {
    get stop() {
      return signal.aborted ? { reason: signal.reason as unknown } : null;
    },
    onStop(call) {
      const own = () => call();
      signal.addEventListener('abort', own, { once: true });
      return () => signal.removeEventListener('abort', own);
    },
  };
}
