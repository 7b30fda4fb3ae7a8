import type { RetryDecision } from '../../src/atoms/retry.js';
import { Retry } from '../../src/atoms/retry.js';
import { task } from '../../src/atoms/function-task.js';
import type { Task, TaskContext } from '../../src/atoms/task.js';

export type Outcome = 'succeeds' | 'fails';

/** One method of one atom: `a.execute`. */
export type Call = `${string}.${'execute' | 'revert'}`;

interface Waiting {
  readonly context: Pick<TaskContext, 'progress'> | null;
  readonly settle: (outcome: Outcome) => void;
}

/**
 * What the atoms of a flow do, and when.
 *
 * A held call that nobody has said anything about waits until somebody does. All other calls succeed at once.
 */
export class Script {
  /** What deciders answer, by name; those that are not here say yes. */
  readonly refusing = new Set<string>();
  /** What retries answer to a failure. */
  decision: RetryDecision = 'REVERT';

  readonly #said = new Map<Call, Outcome>();
  readonly #waiting = new Map<Call, Waiting>();

  constructor(private readonly held: readonly Call[] = []) {}

  /** Settles a call that waits, or says beforehand what comes of the next one. */
  say(call: Call, outcome: Outcome): void {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    if (waiting === undefined) this.#said.set(call, outcome);
    else waiting.settle(outcome);
  }

  isWaiting(call: Call): boolean {
    return this.#waiting.has(call);
  }

  /** The calls that wait. */
  get waiting(): Call[] {
    return [...this.#waiting.keys()];
  }

  /** Has a task whose call waits tell of its progress. */
  progress(call: Call, progress: number): void {
    const context = this.#waiting.get(call)?.context;
    if (context === undefined || context === null) throw new RangeError(`${call} is not under way`);
    context.progress(progress);
  }

  play(call: Call, context: Waiting['context'] = null): unknown {
    const said = this.#said.get(call);
    this.#said.delete(call);
    if (said !== undefined || !this.held.includes(call)) return this.#act(call, said ?? 'succeeds');
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome) => {
        try {
          resolve(this.#act(call, outcome));
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.set(call, { context, settle });
    });
  }

  #act(call: Call, outcome: Outcome): string {
    if (outcome === 'fails') throw new Error(`${call} fails`);
    return call;
  }

  task(name: string): Task {
    return task({
      name,
      execute: (_, context) => this.play(`${name}.execute`, context),
      revert: (_, context) => this.play(`${name}.revert`, context),
    });
  }

  retry(name: string): Retry {
    return new ScriptedRetry(name, this);
  }

  decider(name: string): () => boolean {
    return () => !this.refusing.has(name);
  }
}

class ScriptedRetry extends Retry {
  constructor(
    name: string,
    private readonly script: Script,
  ) {
    super({ name });
  }

  override execute(): unknown {
    return this.script.play(`${this.name}.execute`);
  }

  override revert(): unknown {
    return this.script.play(`${this.name}.revert`);
  }

  override onFailure(): RetryDecision {
    return this.script.decision;
  }
}
