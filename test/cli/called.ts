import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from 'vitest';
import { runCli } from '../../src/cli/cli.js';
import type { Platform, StopSignal } from '../../src/cli/platform.js';
import type { Environment } from '../../src/environment.js';
import { systemEnvironment } from '../../src/environment.js';
import { forget } from './fixtures/trip.js';

/** The modules of flows that tests run without a process of their own. */
const FIXTURES = fileURLToPath(new URL('fixtures/', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What was asked for by a second Ctrl-C. */
  readonly exits: readonly number[];
}

export interface CallOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: readonly string[];
  readonly environment?: Environment;
  /** Called with each piece of text for stderr. */
  readonly onStderr?: (text: string, send: (signal: StopSignal) => void) => void;
  /** Called with each answer. */
  readonly onStdout?: (text: string, send: (signal: StopSignal) => void) => void;
}

/** What `run` and `resume` answer with. */
export interface RunAnswer {
  readonly run: string;
  readonly state: string;
  readonly results: Readonly<Record<string, unknown>>;
  readonly resume?: string;
}

/** A command line in this process, with a folder of its own. */
export class Desk implements AsyncDisposable {
  private at: string | null = null;

  private constructor() {}

  /** One that is new in each test of a file, at which nobody has had a trip. */
  static forEach(): Desk {
    const desk = new Desk();
    beforeEach(async () => {
      desk.at = await mkdtemp(join(tmpdir(), 'flowstate-desk-'));
      forget();
    });
    afterEach(() => desk[Symbol.asyncDispose]());
    return desk;
  }

  get folder(): string {
    if (this.at === null) throw new Error('There is no folder before a test begins');
    return this.at;
  }

  get store(): string {
    return `sqlite:${join(this.folder, 'runs.db')}`;
  }

  /** Calls the command in the folder of the fixtures. */
  async call(args: readonly string[], options: CallOptions = {}): Promise<Ended> {
    const { env = {}, stdin = [], environment = systemEnvironment, onStderr, onStdout } = options;
    const handlers = new Map<StopSignal, Set<() => void>>([
      ['SIGINT', new Set()],
      ['SIGTERM', new Set()],
    ]);
    const send = (signal: StopSignal) => {
      for (const handler of [...handlers.get(signal)!]) handler();
    };
    let stdout = '';
    let stderr = '';
    const exits: number[] = [];
    const platform: Platform = {
      stdin: (async function* () {
        yield* stdin;
      })(),
      stdout: { write: (text) => (stdout += text) },
      stderr: {
        write: (text) => {
          stderr += text;
          onStderr?.(text, send);
        },
      },
      env: { XDG_RUNTIME_DIR: this.folder, FLOWSTATE_BACKEND: this.store, ...env },
      cwd: FIXTURES,
      pid: 4711,
      environment,
      onSignal: (signal, handler) => {
        handlers.get(signal)!.add(handler);
        return { [Symbol.dispose]: () => void handlers.get(signal)!.delete(handler) };
      },
      claimStdout: () => (text) => {
        stdout += text;
        onStdout?.(text, send);
      },
      shareTerminal: () => ({ terminal: platform.stderr, [Symbol.dispose]: () => undefined }),
      exit: (code) => void exits.push(code),
    };
    const code = await runCli(args, platform);
    return { code, stdout, stderr, exits };
  }

  /** The same, with the document that it answers with. */
  async ask<Answer>(args: readonly string[], options?: CallOptions): Promise<Answer> {
    const { stdout } = await this.call([...args, '--json'], options);
    return JSON.parse(stdout) as Answer;
  }

  /** Runs the trip. */
  run(...args: readonly string[]): Promise<RunAnswer> {
    return this.ask(['run', 'trip.ts', ...args]);
  }

  /** The same, suspended by Ctrl-C after its first task. */
  async runSuspended(): Promise<RunAnswer & { readonly code: number }> {
    const { code, stdout } = await this.call(['run', 'trip.ts', '--json'], {
      onStderr: (text, send) => {
        if (text.includes('1/3 reserve')) send('SIGINT');
      },
    });
    return { code, ...(JSON.parse(stdout) as RunAnswer) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
