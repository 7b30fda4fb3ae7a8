import type { TaskContext } from '../../src/atoms/task.js';
import { task } from '../../src/atoms/function-task.js';
import type { Submission, TaskWork } from '../../src/executors/executor.js';
import { settled, virtualEnvironment } from '../../src/testing/virtual-environment.js';
import type { WorkerExecutorOptions } from '../../src/workers/client/options.js';
import { WorkerExecutor } from '../../src/workers/client/worker-executor.js';
import {
  ENGINES_ROOM,
  MessageCodec,
  PLACES,
  runMailbox,
  WORKERS_ROOM,
  workerMailbox,
} from '../../src/workers/protocol/codec.js';
import { SCHEMAS } from '../../src/workers/protocol/messages.js';
import type { Body, RequestBody, ResponseBody } from '../../src/workers/protocol/messages.js';
import type { Signing } from '../../src/workers/protocol/signing.js';
import type { Delivery, Link, Message } from '../../src/workers/transport.js';
import { transport } from '../../src/workers/transport-registry.js';
import { MemoryBroker } from '../../src/workers/transports/memory/broker.js';
import type { WorkerOptions } from '../../src/workers/worker/options.js';
import { Worker } from '../../src/workers/worker/worker.js';

type Reply = {
  [State in ResponseBody['state']]: Pick<Extract<ResponseBody, { state: State }>, 'state' | 'data'>;
}[ResponseBody['state']];

/** A request that came to the end of the worker's side. */
export interface Arrived {
  readonly body: RequestBody;
  readonly delivery: Delivery;
}

/** A broker on time that stands still, with whoever takes part played by hand: messages are real, and so is the client. */
export class Stage {
  readonly environment = virtualEnvironment();
  readonly broker = new MemoryBroker({ environment: this.environment });
  readonly codec = new MessageCodec({ signing: null, maxMessageBytes: 2 ** 20, schemas: SCHEMAS });
  readonly #closing: (() => Promise<unknown>)[] = [];

  get transport() {
    return { transport: 'memory', transportOptions: { broker: this.broker } } as const;
  }

  get clock() {
    return this.environment.clock;
  }

  /** A real executor, connected. */
  async executor(options: WorkerExecutorOptions = {}): Promise<WorkerExecutor> {
    const executor = new WorkerExecutor({ ...this.transport, environment: this.environment, ...options });
    this.#closing.unshift(() => executor.close());
    await executor.accept([]);
    await settled();
    return executor;
  }

  /** A real worker. */
  async worker(options: Partial<WorkerOptions> = {}): Promise<Worker> {
    const worker = new Worker({ topic: 'topic', ...this.transport, environment: this.environment, ...options });
    this.#closing.unshift(() => worker.stop({ drainMs: 0.001 }));
    void worker.run().catch(() => undefined);
    await worker.waitUntilReady();
    await settled();
    return worker;
  }

  /** A real executor, and a worker that it knows of. */
  async pair(options?: WorkerExecutorOptions): Promise<{ executor: WorkerExecutor; worker: ScriptedWorker }> {
    const executor = await this.executor(options);
    const worker = await this.scripted();
    await worker.notify();
    return { executor, worker };
  }

  /** The same, and a request that has come to the worker. */
  async request(options?: WorkerExecutorOptions) {
    const pair = await this.pair(options);
    const asked = ask(pair.executor);
    await settled();
    return { ...pair, asked };
  }

  /** A worker that does and says what the test says. */
  async scripted(id = 'w1', topic = 'topic', signing: Signing | null = null): Promise<ScriptedWorker> {
    const link = await this.link();
    const codec =
      signing === null ? this.codec : new MessageCodec({ signing, maxMessageBytes: 2 ** 20, schemas: SCHEMAS });
    const worker = new ScriptedWorker(id, topic, link, codec);
    await worker.listen();
    return worker;
  }

  async link(): Promise<Link> {
    const opened = await (await transport({ ...this.transport, environment: this.environment })).open();
    this.#closing.push(() => opened.close());
    return opened;
  }

  /** Time goes on, and everybody does what there is to do. */
  async pass(ms: number): Promise<void> {
    await settled();
    this.clock.advance(ms);
    await settled();
  }

  async close(): Promise<void> {
    for (const close of this.#closing) {
      const closed = close();
      await settled();
      this.clock.advance(1);
      await closed;
    }
  }
}

/** One end of the worker's side, played by hand. */
export class ScriptedWorker {
  readonly requests: Arrived[] = [];
  readonly cancelled: Body<'CANCEL'>[] = [];
  readonly grants: Body<'GRANT'>[] = [];
  readonly adoptions: Body<'ADOPT'>[] = [];
  #number = 0;
  #notices = 0;
  #beats = 0;

  constructor(
    readonly id: string,
    readonly topic: string,
    readonly link: Link,
    private readonly codec: MessageCodec,
  ) {}

  async listen(): Promise<void> {
    await this.link.consume(this.topic, { prefetch: 100 }, (delivery) => {
      this.requests.push({
        body: this.codec.read(delivery.message, PLACES.queue(this.topic), ['REQUEST']).body,
        delivery,
      });
    });
    await this.link.listen(WORKERS_ROOM, (message) => {
      const envelope = this.codec.read(message, PLACES.room(WORKERS_ROOM), ['ASK', 'CANCEL', 'ADOPT']);
      if (envelope.type === 'CANCEL') this.cancelled.push(envelope.body);
      if (envelope.type === 'ADOPT') this.adoptions.push(envelope.body);
    });
    const mailbox = workerMailbox(this.id);
    await this.link.receive(mailbox, { prefetch: 10, expiryMs: 1000 }, (delivery) => {
      const envelope = this.codec.read(delivery.message, PLACES.mailbox(mailbox), ['CANCEL', 'GRANT']);
      if (envelope.type === 'CANCEL') this.cancelled.push(envelope.body);
      else this.grants.push(envelope.body);
      void delivery.ack();
    });
  }

  /** The request that came last. */
  get request(): Arrived {
    const last = this.requests.at(-1);
    if (last === undefined) throw new RangeError('No request has come');
    return last;
  }

  async notify(more: Partial<Extract<Body<'NOTIFY'>, { version: 2 }>> = {}): Promise<void> {
    this.#notices += 1;
    await this.announce('NOTIFY', {
      version: 2,
      topic: this.topic,
      tasks: [{ name: 'a', versions: ['1.0'] }],
      workerId: this.id,
      capacity: 4,
      inFlight: 0,
      startedAt: 0,
      number: this.#notices,
      ...more,
    });
    await settled();
  }

  async announce(type: 'NOTIFY' | 'BYE', body: Body<'NOTIFY'> | Body<'BYE'>): Promise<void> {
    const place = PLACES.room(ENGINES_ROOM);
    await this.link.announce(ENGINES_ROOM, this.codec.write(type, body, { place }));
  }

  async bye(): Promise<void> {
    await this.announce('BYE', { version: 2, workerId: this.id, topic: this.topic });
    await settled();
  }

  async reply(reply: Reply, more: Partial<ResponseBody> = {}, to = this.request.body): Promise<void> {
    this.#number += 1;
    const { requestId, submission, dispatch } = to;
    const body = {
      version: 2,
      requestId,
      submission,
      dispatch,
      workerId: this.id,
      delivery: 1,
      number: this.#number,
      ...reply,
      ...more,
    };
    await this.post(
      to.runId,
      this.codec.write('RESPONSE', body as ResponseBody, { place: PLACES.mailbox(runMailbox(to.runId)) }),
    );
  }

  async beat(to = this.request.body, beat = (this.#beats += 1)): Promise<void> {
    const { requestId, submission, dispatch } = to;
    const body = { version: 2 as const, workerId: this.id, beat, requests: [{ requestId, submission, dispatch }] };
    await this.post(to.runId, this.codec.write('HEARTBEAT', body, { place: PLACES.mailbox(runMailbox(to.runId)) }));
  }

  /** Asks whether it may run a request. */
  async claim(claim: string, to = this.request.body, delivery = 1): Promise<void> {
    const { requestId, submission, dispatch } = to;
    const body = { version: 2 as const, requestId, submission, dispatch, workerId: this.id, delivery, claim };
    await this.post(to.runId, this.codec.write('CLAIM', body, { place: PLACES.mailbox(runMailbox(to.runId)) }));
  }

  async post(runId: string, message: Message): Promise<void> {
    await this.link.post(runMailbox(runId), message);
    await settled();
  }
}

export const WAITING = { state: 'WAITING', data: {} } as const;
export const RUNNING = { state: 'RUNNING', data: {} } as const;
export const SUCCESS = (text = '["done"]') => ({ state: 'SUCCESS', data: { result: text } }) as const;
export const FAILURE = (message: string) => ({
  state: 'FAILURE' as const,
  data: { failure: { version: 1 as const, typeNames: ['Error'], message, stack: null } },
});
export const EVENT = (event: string, details = '[{}]') =>
  ({ state: 'EVENT', data: { event_type: event, details } }) as const;

export interface Asked {
  readonly submission: Submission;
  readonly outcome: Promise<unknown>;
  readonly heard: unknown[];
  readonly stop: AbortController;
  /** How often it was said to have begun. */
  begun: number;
}

/** Submits a task by hand, as the engine does. */
export function ask(
  executor: WorkerExecutor,
  more: { name?: string; isTakenUp?: boolean; key?: string; version?: string } = {},
): Asked {
  const { name = 'a', isTakenUp = false, key = `run:0:${name}:execute`, version } = more;
  const atom = task({ name, version, events: ['seen'], execute: () => null });
  const heard: unknown[] = [];
  const stop = new AbortController();
  atom.notifier.register('seen', (event, details) => heard.push([event, details]));
  const context: TaskContext = {
    atom: name,
    signal: stop.signal,
    idempotencyKey: key,
    progress: (progress, details) => heard.push([progress, details]),
    notify: (event, details) => heard.push([event, details]),
  };
  atom.onProgress = () => undefined;
  const asked: Partial<Asked> & { begun: number } = { heard, stop, begun: 0 };
  const work: TaskWork = {
    atom,
    method: 'execute',
    args: {},
    context,
    origin: { runId: 'run', atomId: `${name}-id`, attempt: 1 },
    isTakenUp,
    began: () => {
      asked.begun += 1;
    },
  };
  const submission = executor.submit(work);
  return Object.assign(asked, { submission, outcome: Promise.resolve(submission.outcome) }) as Asked;
}
