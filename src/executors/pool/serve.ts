import type { Transferable } from 'node:worker_threads';
import { registeredTasks } from '../../atoms/task-registry.js';
import type { Task, TaskContext } from '../../atoms/task.js';
import { Failure } from '../../failure.js';
import { listenTo } from '../listen-to-task.js';
import { perform } from '../perform.js';
import { transferList } from '../transfer.js';
import type { Reply, Request, RunRequest, Start } from './protocol.js';
import { receivedArguments } from './protocol.js';

/** @throws what cannot cross. */
type Send = (reply: Reply, transfer?: readonly Transferable[]) => void;

/**
 * Runs tasks in a thread or process, for an engine outside of it: loads the modules, and says that it is ready.
 *
 * @returns what requests are given to.
 */
export async function serve(start: Start, send: Send): Promise<(request: Request) => void> {
  for (const module of start.taskModules) {
    try {
      registeredTasks().registerExports((await import(module)) as Record<string, unknown>);
    } catch (error) {
      send({ type: 'unloadable', module, failure: Failure.from(error).toRecord() });
      return () => undefined;
    }
  }
  send({ type: 'ready', listings: registeredTasks().listings() });
  let running: Call | null = null;
  return (request) => {
    switch (request.type) {
      case 'run':
        running = new Call(request, start, send);
        void running.perform();
        break;
      case 'abort':
        running?.abort(reasonIn(Failure.fromRecord(request.reason)));
        break;
      case 'stop':
        process.exit(0);
    }
  };
}

/** The reason of an abort, with the name that it had. */
function reasonIn(failure: Failure): unknown {
  return failure.isLive ? failure.error : new DOMException(failure.message, failure.name);
}

/** One method of one task, called for an engine outside. */
class Call {
  /** The first of what the task told of that cannot cross. */
  #uncrossable: Reply | null = null;
  #madeController: AbortController | null = null;

  constructor(
    private readonly request: RunRequest,
    private readonly start: Start,
    private readonly send: Send,
  ) {}

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Made when it is asked for: most tasks never look at their signal. */
  get #controller(): AbortController {
    return (this.#madeController ??= new AbortController());
  }

  async perform(): Promise<void> {
    const outcome = await this.#outcome();
    const rssMb = this.start.tellsMemory ? { rssMb: process.memoryUsage.rss() / 2 ** 20 } : {};
    if (outcome instanceof Failure) this.send({ type: 'failed', failure: outcome.toRecord(), ...rssMb });
    else if (this.#uncrossable !== null) this.send({ ...this.#uncrossable, ...rssMb });
    else {
      try {
        this.send({ type: 'done', value: outcome, ...rssMb }, transferList(outcome));
      } catch (error) {
        this.send({ ...uncrossable('result', error), ...rssMb });
      }
    }
  }

  async #outcome(): Promise<unknown> {
    const { address, method, args } = this.request;
    let task: Task;
    try {
      task = registeredTasks().make(address);
    } catch (error) {
      return Failure.from(error);
    }
    using _ = listenTo(task, this.request.events, (event, details) => this.#tell(event, details));
    return await perform({ atom: task, method, args: receivedArguments(args), context: this.#contextFor(task) });
  }

  #contextFor(task: Task): TaskContext {
    const { atom, idempotencyKey } = this.request;
    const signal = () => this.#controller.signal;
    return {
      atom,
      idempotencyKey,
      get signal() {
        return signal();
      },
      progress: (progress, details) => task.updateProgress(progress, details),
      notify: (event, details = {}) => task.notifier.notify(event, details),
    };
  }

  #tell(event: string, details: Record<string, unknown>): void {
    try {
      this.send({ type: 'event', event, details });
    } catch (error) {
      this.#uncrossable ??= uncrossable(`details of '${event}'`, error);
    }
  }
}

function uncrossable(what: string, error: unknown): Reply {
  return { type: 'uncrossable', what, why: Failure.from(error).toRecord() };
}
