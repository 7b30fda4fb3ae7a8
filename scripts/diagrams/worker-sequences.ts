import type { Task } from '../../src/index.js';
import { engines, linear, task, Worker, WorkerExecutor } from '../../src/index.js';
import { settled, virtualEnvironment } from '../../src/testing/virtual-environment.js';
import type { Consumer, Delivery, Link, Message, Transport } from '../../src/workers/transport.js';
import { transport } from '../../src/workers/transport-registry.js';
import { MemoryBroker } from '../../src/workers/transports/memory/broker.js';

/*
 * Sequence diagrams of what engines and workers tell each other: runs of real ones, on a broker in memory and on time
 * that goes on when it is told to, in which every message and every answer is written down as it passes.
 */

/** One line of a diagram. */
type Line = string;

const TOPIC = 'payments';
const LEASE_MS = 15_000;
const SECOND = 1000;

class Scene {
  readonly environment = virtualEnvironment();
  readonly broker = new MemoryBroker({ environment: this.environment });
  readonly lines: Line[] = [];
  readonly links = new Map<string, Link>();
  /** Those whose processes stand still: they say nothing. */
  readonly still = new Set<string>();
  readonly #closing: (() => Promise<unknown>)[] = [];

  async worker(name: string, tasks: readonly Task[]): Promise<void> {
    const worker = new Worker({
      ...{ topic: TOPIC, tasks, workerId: name, environment: this.environment, maxWorkers: 1 },
      transport: await this.#recorded(name),
    });
    this.#closing.push(() => worker.stop({ drainMs: 1 }));
    void worker.run().catch(() => undefined);
    await worker.waitUntilReady();
    await settled();
  }

  /** Runs a task, and lets the scene go on meanwhile. */
  async run(executed: Task, goOn: () => Promise<void>): Promise<void> {
    const { environment } = this;
    const executor = new WorkerExecutor({ transport: await this.#recorded('engine'), leaseMs: LEASE_MS, environment });
    const flow = linear('flow').add(executed);
    const engine = await engines.load(flow, { engine: 'workers', executor, environment });
    const ended = engine.run();
    const seen = { isOver: false };
    void ended.finally(() => (seen.isOver = true)).catch(() => undefined);
    await this.pass(0);
    await goOn();
    for (let turn = 0; turn < 100 && !seen.isOver; turn++) await this.pass(10);
    this.note('engine', `${executed.name}: ${await ended}`);
    await this.pass(10);
    const count = this.lines.length;
    await this.#finish([() => engine.close(), () => executor.close(), ...this.#closing]);
    // How it is taken down is not part of it.
    this.lines.length = count;
  }

  note(who: string, text: string): void {
    this.lines.push(`  Note over ${who}: ${text}`);
  }

  async pass(ms: number): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await settled();
    this.environment.clock.advance(ms);
    for (let turn = 0; turn < 3; turn++) await settled();
  }

  async #finish(closing: readonly (() => Promise<unknown>)[]): Promise<void> {
    for (const close of closing) {
      const closed = close();
      for (let turn = 0; turn < 5; turn++) await this.pass(10);
      await closed.catch(() => undefined);
    }
  }

  async #recorded(who: string): Promise<Transport> {
    const { environment, broker } = this;
    const inner = await transport({ transport: 'memory', transportOptions: { broker }, environment });
    return {
      name: inner.name,
      open: async () => {
        const link = await inner.open();
        this.links.set(who, link);
        return recording(link, who, {
          write: (line) => this.lines.push(line),
          isStill: () => this.still.has(who),
        });
      },
    };
  }
}

/** A link that writes down what passes. */
function recording(
  link: Link,
  who: string,
  { write, isStill }: { readonly write: (line: Line) => void; readonly isStill: () => boolean },
): Link {
  const out = (to: string, message: Message) => write(`  ${who}->>${to}: ${labelOf(message)}`);
  const hear = (from: string, handle: (delivery: Delivery) => void) => (delivery: Delivery) => {
    const { message, deliveries } = delivery;
    write(`  ${from}->>${who}: ${labelOf(message)}${deliveries > 1 ? `, delivery ${deliveries}` : ''}`);
    const answer = (what: string) => write(`  ${who}-->>${from}: ${what}`);
    handle({
      message,
      deliveries,
      ack: () => (answer(`ack ${shortOf(message)}`), delivery.ack()),
      release: () => (answer(`release ${shortOf(message)}`), delivery.release()),
      reject: (reason) => (answer(`reject ${shortOf(message)}`), delivery.reject(reason)),
    });
  };
  return {
    send: (topic, message) => (out('queue', message), link.send(topic, message)),
    consume: (topic, options, handle): Promise<Consumer> => link.consume(topic, options, hear('queue', handle)),
    post: async (mailbox, message) => {
      if (isStill()) return true;
      out('mailbox', message);
      return link.post(mailbox, message);
    },
    receive: (mailbox, options, handle) => link.receive(mailbox, options, hear('mailbox', handle)),
    removeMailbox: (mailbox) => (write(`  ${who}->>mailbox: is not needed any more`), link.removeMailbox(mailbox)),
    announce: async (room, message) => {
      if (isStill()) return;
      out('rooms', message);
      await link.announce(room, message);
    },
    listen: (room, handle) =>
      link.listen(room, (message) => {
        write(`  rooms->>${who}: ${labelOf(message)}`);
        handle(message);
      }),
    deadLetters: (options) => link.deadLetters(options),
    requeueDeadLetters: (ids) => link.requeueDeadLetters(ids),
    removeAll: () => link.removeAll(),
    onConnection: (listener) => link.onConnection(listener),
    close: () => link.close(),
  };
}

interface SomeBody {
  readonly state?: string;
  readonly dispatch?: number;
  readonly workerId?: string;
  readonly data?: { readonly event_type?: string };
}

const bodyOf = ({ body }: Message) => JSON.parse(Buffer.from(body).toString()) as SomeBody;

function shortOf(message: Message): string {
  return bodyOf(message).state ?? message.properties.type;
}

function labelOf(message: Message): string {
  const { type } = message.properties;
  const { state, dispatch, data, workerId } = bodyOf(message);
  if (type === 'NOTIFY') return workerId === undefined ? 'NOTIFY: who is there?' : `NOTIFY: ${workerId}`;
  const event = data?.event_type === undefined ? '' : ` ${data.event_type}`;
  const which = dispatch === undefined ? '' : `, dispatch ${dispatch}`;
  return `${type}${state === undefined ? '' : ` ${state}`}${event}${which}`;
}

const PARTICIPANTS: Readonly<Record<string, string>> = {
  engine: 'Engine',
  rooms: 'Rooms',
  queue: `Queue of the topic ${TOPIC}`,
  mailbox: 'Mailbox of the run',
  worker: 'Worker',
  first: 'First worker',
  second: 'Second worker',
};

function diagramOf(lines: readonly Line[]): string {
  const isPart = (name: string) =>
    lines.some((line) => new RegExp(`\\b${name}(?:-|:)`).test(`${line.split(': ')[0] ?? ''}:`));
  const declared = Object.entries(PARTICIPANTS)
    .filter(([name]) => isPart(name))
    .map(([name, title]) => `  participant ${name} as ${title}`);
  return ['sequenceDiagram', ...declared, ...lines, ''].join('\n');
}

/** A task that goes on when it is told to, each time that it is executed. */
function held() {
  const goOn: (() => void)[] = [];
  const charge = task({
    name: 'charge',
    provides: 'receipt',
    events: ['authorised'],
    execute: async (_, context) => {
      await new Promise<void>((resolve) => goOn.push(resolve));
      context.progress(0.5);
      context.notify('authorised', {});
      return 'r-9';
    },
  });
  return { charge, goOn };
}

/** One task on one worker. */
async function oneTask(): Promise<string> {
  const scene = new Scene();
  const { charge, goOn } = held();
  charge.notifier.register('authorised', () => scene.note('engine', 'listeners hear of authorised'));
  charge.onProgress = () => undefined;
  await scene.worker('worker', [charge]);
  await scene.run(charge, async () => {
    await scene.pass(6);
    await scene.pass(5 * SECOND);
    goOn[0]?.();
  });
  return diagramOf(scene.lines);
}

/** The process of the worker dies while it runs the task. */
async function killed(): Promise<string> {
  const scene = new Scene();
  const { charge, goOn } = held();
  await scene.worker('first', [charge]);
  await scene.run(charge, async () => {
    await scene.pass(6);
    scene.note('first', 'its process is killed');
    const link = scene.links.get('first');
    if (link !== undefined) scene.broker.crash(link);
    await scene.worker('second', [charge]);
    await scene.pass(6);
    goOn[1]?.();
  });
  return diagramOf(scene.lines);
}

/** A worker stands still for longer than its lease, and comes back with a result when another has the task. */
async function fencedOff(): Promise<string> {
  const scene = new Scene();
  const { charge, goOn } = held();
  await scene.worker('first', [charge]);
  await scene.run(charge, async () => {
    await scene.pass(6);
    scene.note('first', 'stands still');
    scene.still.add('first');
    await scene.worker('second', [charge]);
    await scene.pass(LEASE_MS - SECOND);
    scene.note('engine', `no sign of life for ${LEASE_MS / SECOND} s`);
    await scene.pass(SECOND);
    await scene.pass(6);
    scene.note('first', 'goes on');
    scene.still.delete('first');
    goOn[0]?.();
    await scene.pass(1);
    scene.note('engine', 'that is of dispatch 1: dropped, and counted');
    goOn[1]?.();
  });
  return diagramOf(scene.lines);
}

/** By the names of their files. */
export async function workerSequences(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['workers-one-task', await oneTask()],
    ['workers-killed', await killed()],
    ['workers-fenced-off', await fencedOff()],
  ]);
}
