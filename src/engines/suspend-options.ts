/** How a run is suspended. */
export interface SuspendOptions {
  /**
   * Whether atoms that are under way are told to stop, by their signals. What fails with the reason of its signal, or
   * with an `AbortError`, has given up and not failed: it is done again by the next run. @default false
   */
  readonly abortRunning?: boolean | undefined;
}

/** @throws {TypeError|RangeError} for options that `suspend()` does not take. */
export function readAbortRunning(options: SuspendOptions): boolean {
  const { abortRunning = false, ...others } = options;
  const [foreign] = Object.keys(others);
  if (foreign !== undefined) throw new RangeError(`suspend() takes abortRunning, got ${foreign}`);
  if (typeof abortRunning !== 'boolean') {
    throw new TypeError(`abortRunning takes true or false, got ${String(abortRunning)}`);
  }
  return abortRunning;
}
