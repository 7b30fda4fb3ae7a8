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
  /**
   * Lets what anybody prints on the terminal come in whole lines, each when it may: whoever draws there takes away what
   * is drawn before, and draws it again below. Nothing is changed for streams that are no terminals.
   *
   * @param pass - Is given what writes the lines, and has to call it.
   * @returns the terminal for whoever draws.
   */
  shareTerminal(pass: (write: () => void) => void): Disposable & { readonly terminal: TerminalStream };
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
      // Looked up each time: somebody may draw on the terminal.
      stdout.write = (...given: unknown[]) => {
        const now = Reflect.get(stderr, 'write') as (...given: unknown[]) => boolean;
        return now.apply(stderr, given);
      };
      return (text) => void write(text);
    },
    shareTerminal: (pass) => shareTerminal([stdout, stderr], stderr, pass),
    exit: (code) => process.exit(code),
  };
}

function shareTerminal(
  streams: readonly NodeJS.WriteStream[],
  drawn: NodeJS.WriteStream,
  pass: (write: () => void) => void,
) {
  const write = drawn.write.bind(drawn);
  const shared = streams.filter(({ isTTY }) => isTTY).map((stream) => new LineBuffer(stream, pass));
  return {
    terminal: {
      isTTY: drawn.isTTY,
      get columns() {
        return drawn.columns;
      },
      get rows() {
        return drawn.rows;
      },
      write: (text: string) => write(text),
    },
    [Symbol.dispose]: () => {
      for (const buffer of shared) buffer.release();
    },
  };
}

/** Takes the place of a stream's `write`, and passes on whole lines. */
class LineBuffer {
  readonly #original: NodeJS.WriteStream['write'];
  #rest = '';

  constructor(
    private readonly stream: NodeJS.WriteStream,
    pass: (write: () => void) => void,
  ) {
    // The very function, to be put back.
    this.#original = Reflect.get<NodeJS.WriteStream, 'write'>(stream, 'write');
    stream.write = (chunk: string | Uint8Array, ...others: unknown[]) => {
      this.#rest += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      const end = this.#rest.lastIndexOf('\n') + 1;
      const lines = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end);
      if (lines !== '') pass(() => this.#write(lines));
      const done = others.at(-1);
      if (typeof done === 'function') queueMicrotask(done as () => void);
      return true;
    };
  }

  release(): void {
    this.stream.write = this.#original;
    if (this.#rest !== '') this.#write(this.#rest);
  }

  #write(text: string): void {
    this.#original.call(this.stream, text);
  }
}
