import { systemEnvironment } from '../environment.js';
import type { Environment } from '../environment.js';
import type { TerminalStream } from '../listeners/live-block.js';

/** Signals by which a person or a service manager asks a process to end. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** What the command line asks of the process it runs in. */
export interface Platform {
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths start from. */
  readonly cwd: string;
  readonly pid: number;
  readonly environment: Environment;
  /** Calls the handler for each such signal, which does not end the process meanwhile. */
  onSignal(signal: StopSignal, handler: () => void): Disposable;
  /**
   * Lets what modules and tasks print go to stderr from now on.
   *
   * @returns writes to stdout nevertheless.
   */
  claimStdout(): (text: string) => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** The process itself. */
export function processPlatform(): Platform {
  const { stdin, stdout, stderr, env, pid } = process;
  return {
    stdin,
    stdout,
    stderr,
    env,
    pid,
    cwd: process.cwd(),
    environment: systemEnvironment,
    onSignal: (signal, handler) => {
      process.on(signal, handler);
      return { [Symbol.dispose]: () => void process.off(signal, handler) };
    },
    claimStdout: () => {
      const write = stdout.write.bind(stdout);
      stdout.write = stderr.write.bind(stderr);
      return (text) => void write(text);
    },
    exit: (code) => process.exit(code),
  };
}
