import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, LoadOptions } from '../../src/index.js';
import { persistence } from '../../src/index.js';
import { transport } from '../../src/workers/transport-registry.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import type { EngineProgram } from './programs/engine.js';
import type { Step } from './programs/steps.js';
import type { ProgramOptions } from './programs/worker.js';
import type { WorkerProcess } from './worker-process.js';
import { startWorker } from './worker-process.js';

/** Short, so that a lost worker is missed soon. */
export const TIMES = { heartbeatMs: 200, leaseMs: 1500, notifyMs: 500 } as const;

/** What a broker is reached by. */
export interface Broker {
  readonly url: string;
  readonly transportOptions?: Readonly<Record<string, unknown>> | undefined;
}

/** One exchange of a real broker, with workers and engines in processes of their own. */
export class FaultWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'flowstate-faults-'));
  readonly ledger = join(this.folder, 'ledger');
  readonly exchange = `flowstate_test_${randomUUID()}`;
  readonly #workers: WorkerProcess[] = [];
  readonly #engines: Engine[] = [];

  constructor(
    private readonly compiled: CompiledSources,
    readonly broker: Broker,
  ) {}

  get place() {
    const { url, transportOptions } = this.broker;
    return { url, transportOptions, exchange: this.exchange };
  }

  /** What an engine of this world is loaded with. */
  get options(): LoadOptions {
    const times = { leaseMs: TIMES.leaseMs, adoptMs: 1000, mailboxExpiryMs: 60_000 };
    return { engine: 'workers', ...this.place, ...times, maxDeliveries: 20 };
  }

  /** Steps of these names; `dies` and `gate` are for the second. */
  steps(more: Partial<Step> = {}): Step[] {
    return ['a', 'b', 'c'].map((name) => ({ name, ledger: this.ledger, ...(name === 'b' ? more : {}) }));
  }

  /** @param command - What begins its command line, where it runs elsewhere. */
  async worker(options: Partial<ProgramOptions> = {}, command: readonly string[] = []): Promise<WorkerProcess> {
    const program = this.compiled.pathOf('test/workers/programs/worker.ts');
    const tasks = [this.compiled.pathOf('test/workers/programs/steps.ts')];
    const worker = await startWorker(program, { ...this.place, ...TIMES, topic: 'steps', tasks, ...options }, command);
    this.#workers.push(worker);
    return worker;
  }

  /** An engine in a process of its own. */
  engineProcess(steps: readonly Step[]) {
    const { engine: _, ...options } = this.options;
    const store = `sqlite:${join(this.folder, 'runs.db')}`;
    const program: EngineProgram = { store, steps, options, commits: this.commits };
    const child = fork(this.compiled.pathOf('test/workers/programs/engine.ts'), [JSON.stringify(program)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const exited = once(child, 'exit');
    const told = once(child, 'message').then(([message]: unknown[]) => message);
    return {
      ended: Promise.race([told, exited.then(() => 'gone')]),
      exited,
      kill: async () => {
        child.kill('SIGKILL');
        await exited;
      },
    };
  }

  /** The id of the run of the engines in processes of their own. */
  async storedRun(): Promise<string> {
    const backend = await persistence.fetch(`sqlite:${join(this.folder, 'runs.db')}`);
    const connection = await backend.getConnection();
    const [found] = await connection.findFlowDetails();
    await connection.close();
    await backend.close();
    if (found === undefined) throw new Error('No run is stored');
    return found.flow.uuid;
  }

  remember(engine: Engine): Engine {
    this.#engines.push(engine);
    return engine;
  }

  get lines(): string[] {
    return existsSync(this.ledger) ? readFileSync(this.ledger, 'utf8').split('\n').filter(Boolean) : [];
  }

  /** How often something was done: `effect b`. */
  count(what: string): number {
    return this.lines.filter((line) => line.startsWith(`${what} `)).length;
  }

  /** Resolves when something was done so often. */
  async until(what: string, times = 1): Promise<void> {
    while (this.count(what) < times) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** The results that engines in processes of their own have committed, a line each. */
  get commits(): string {
    return join(this.folder, 'commits');
  }

  get gate(): string {
    return join(this.folder, 'gate');
  }

  open(): void {
    writeFileSync(this.gate, '');
  }

  async close(): Promise<void> {
    for (const engine of this.#engines) await engine.close();
    for (const worker of this.#workers) worker.kill('SIGKILL');
    await Promise.all(this.#workers.map(({ ended }) => ended));
    const link = await (await transport(this.place)).open();
    await link.removeAll();
    await link.close();
    rmSync(this.folder, { recursive: true });
  }
}
