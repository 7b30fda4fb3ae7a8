import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { CompiledSources } from '../scenarios/compiled-sources.js';

/** What a consumer said that it got. */
export interface Got {
  readonly text: string;
  readonly deliveries: number;
}

/** A process that consumes a topic. */
export class ChildConsumer {
  readonly got: Got[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('it has no output');
    createInterface({ input: child.stdout }).on('line', (line) => this.got.push(JSON.parse(line) as Got));
  }

  static start(sources: CompiledSources, url: string, exchange: string, topic: string): ChildConsumer {
    const program = sources.pathOf('test/scenarios/programs/consume-topic.ts');
    return new ChildConsumer(
      spawn(process.execPath, [program, url, exchange, topic], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
  }

  /** Has it answer a message. */
  ack(text: string): void {
    this.#child.stdin?.write(`${text}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Lets it end by itself. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
