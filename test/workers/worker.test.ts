import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Task, task, taskFactory } from '../../src/index.js';
import { settled } from '../../src/testing/virtual-environment.js';
import { PLACES, runMailbox, workerMailbox } from '../../src/workers/protocol/codec.js';
import type { RequestBody, ResponseBody } from '../../src/workers/protocol/messages.js';
import { valueText } from '../../src/workers/protocol/values.js';
import type { Link } from '../../src/workers/transport.js';
import { Worker } from '../../src/workers/worker/worker.js';
import { Gate } from '../engines/manual-environment.js';
import { REQUEST } from './messages.js';
import { Stage } from './stage.js';

/* What a worker does with messages, on virtual time; the engine's side is played by hand. */

const text = (value: unknown) => valueText(value, { atom: 'a', what: 'value' }, 'to a worker');

/** An engine that says what the test says, and writes down what it hears. */
class ScriptedEngine {
  readonly replies: ResponseBody[] = [];
  readonly beats: number[] = [];
  readonly notices: unknown[] = [];

  constructor(
    readonly link: Link,
    private readonly stage: Stage,
  ) {}

  async listen(): Promise<void> {
    const mailbox = runMailbox('run');
    await this.link.receive(mailbox, { prefetch: 1000, expiryMs: 100_000 }, (delivery) => {
      const envelope = this.stage.codec.read(delivery.message, PLACES.mailbox(mailbox), ['RESPONSE', 'HEARTBEAT']);
      if (envelope.type === 'RESPONSE') this.replies.push(envelope.body);
      else this.beats.push(envelope.body.requests.length);
      void delivery.ack();
    });
    await this.link.listen('engines', ({ properties, body }) => {
      this.notices.push({ type: properties.type, ...(JSON.parse(Buffer.from(body).toString()) as object) });
    });
  }

  async request(more: Partial<RequestBody> = {}, topic = 'topic'): Promise<void> {
    const body = { ...REQUEST, ...more };
    const message = this.stage.codec.write('REQUEST', body, { place: PLACES.queue(topic), replyTo: runMailbox('run') });
    await this.link.send(topic, message);
    await settled();
  }

  async run(name: string, args: object = {}, more: Partial<RequestBody> = {}): Promise<void> {
    const address = { name, version: '1.0', parameters: '[[]]' };
    await this.request({ task: address, arguments: { values: text(args) }, atom: name, ...more });
  }

  async cancel(requestId: string, submission = REQUEST.submission): Promise<void> {
    const reason = { version: 1 as const, typeNames: ['AbortError', 'Error'], message: 'enough', stack: null };
    const message = this.stage.codec.write(
      'CANCEL',
      { version: 2, requestId, submission, reason },
      { place: PLACES.room('workers') },
    );
    await this.link.announce('workers', message);
    await settled();
  }

  async adopt(...requestIds: string[]): Promise<void> {
    const place = PLACES.room('workers');
    await this.link.announce(
      'workers',
      this.stage.codec.write('ADOPT', { version: 2, requestIds }, { place, replyTo: runMailbox('run') }),
    );
    await settled();
  }

  get said(): unknown[] {
    return this.replies.map(({ state, data }) => {
      if (state === 'SUCCESS') return [state, data.result];
      if (state === 'FAILURE') return [state, data.failure.typeNames[0], data.failure.message];
      return state === 'EVENT' ? [state, data.event_type, data.details] : state;
    });
  }
}

let stage: Stage;
let engine: ScriptedEngine;
beforeEach(async () => {
  stage = new Stage();
  engine = new ScriptedEngine(await stage.link(), stage);
  await engine.listen();
});
afterEach(() => stage.close());

const echo = task({ name: 'echo', requires: ['x'], execute: ({ x }: { x?: unknown }) => x as never });
const fails = task({
  name: 'fails',
  execute: () => {
    throw new RangeError('outer', { cause: new TypeError('inner') });
  },
});

/** A task that goes on until it is told to stop, or is let go. */
function held(name = 'held') {
  const gate = new Gate();
  let calls = 0;
  const made = task({
    name,
    events: ['seen'],
    execute: async (_, { signal, progress, notify }) => {
      calls += 1;
      const stopped = new Promise<never>((__, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
      await Promise.race([gate.promise, stopped]);
      progress(0.5);
      notify('seen', { n: 1 });
      return calls;
    },
  });
  return { made, gate, calls: () => calls };
}

describe('a worker', () => {
  it('says who it is: when it begins, when it is asked, from time to time, and good-bye', async () => {
    const worker = await stage.worker({ tasks: [echo], workerId: 'w1', maxWorkers: 3 });
    const notice = {
      type: 'NOTIFY',
      workerId: 'w1',
      topic: 'topic',
      tasks: [{ name: 'echo', versions: ['1.0'] }],
      capacity: 3,
      inFlight: 0,
    };
    expect(engine.notices).toMatchObject([{ ...notice, number: 1 }]);
    await engine.link.announce('workers', stage.codec.write('ASK', {}, { place: PLACES.room('workers') }));
    await stage.pass(5000);
    expect(engine.notices).toMatchObject([notice, { ...notice, number: 2 }, { ...notice, number: 3 }]);
    await worker.stop();
    await settled();
    expect(engine.notices.at(-1)).toMatchObject({ type: 'BYE', workerId: 'w1' });
  });

  it('runs a task and says how it ended', async () => {
    await stage.worker({ tasks: [echo, fails] });
    await engine.run('echo', { x: new Map([[1, 2n]]) });
    await engine.run('fails', {}, { requestId: 'r2' });
    expect(engine.said).toEqual([
      ['SUCCESS', text(new Map([[1, 2n]]))],
      ['FAILURE', 'RangeError', 'outer'],
    ]);
    const last = engine.replies.at(-1);
    expect(last?.state === 'FAILURE' && last.data.failure.causes).toMatchObject([{ message: 'inner' }]);
  });

  it('says that a task runs which is not quick, and what it tells, in order', async () => {
    const { made, gate } = held();
    await stage.worker({ tasks: [made] });
    await engine.run('held', {}, { events: ['update_progress', 'seen'] });
    expect(engine.said).toEqual([]);
    await stage.pass(5);
    expect(engine.said).toEqual(['RUNNING']);
    gate.open();
    await settled();
    expect(engine.said).toEqual([
      'RUNNING',
      ['EVENT', 'update_progress', text({ progress: 0.5 })],
      ['EVENT', 'seen', text({ n: 1 })],
      ['SUCCESS', '[1]'],
    ]);
    expect(engine.replies.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
  });

  it('tells of progress ten times a second at most: the latest, and the last before the end', async () => {
    const gate = new Gate();
    const busy = task({
      name: 'busy',
      execute: async (_, { progress }) => {
        for (let step = 1; step <= 100; step++) progress(step / 1000);
        await gate.promise;
        for (let step = 101; step <= 200; step++) progress(step / 1000);
      },
    });
    await stage.worker({ tasks: [busy] });
    await engine.run('busy', {}, { events: ['update_progress'] });
    await stage.pass(100);
    gate.open();
    await settled();
    const steps = engine.replies.flatMap((reply) => (reply.state === 'EVENT' ? [reply.data.details] : []));
    expect(steps).toEqual([0.001, 0.1, 0.2].map((progress) => text({ progress })));
  });

  it('beats while a task runs, and not before or afterwards', async () => {
    const { made, gate } = held();
    await stage.worker({ tasks: [made], heartbeatMs: 1000 });
    await stage.pass(1000);
    await engine.run('held');
    await stage.pass(1000);
    await stage.pass(1000);
    gate.open();
    await settled();
    await stage.pass(2000);
    expect(engine.beats).toEqual([1, 1]);
  });

  it('acknowledges a request when its end was told, and not before', async () => {
    const { made, gate } = held();
    await stage.worker({ tasks: [made] });
    const order: string[] = [];
    stage.broker.intercept(({ kind, message: { properties } }) => {
      if (kind === 'post' || (kind === 'ack' && properties.type === 'REQUEST'))
        order.push(`${kind} ${properties.type}`);
      return undefined;
    });
    await engine.run('held');
    expect(order).toEqual([]);
    gate.open();
    await settled();
    expect(order).toEqual(['post RESPONSE', 'ack REQUEST']);
  });

  it('makes a failure of what cannot be sent, or is too large', async () => {
    const odd = task({ name: 'odd', execute: () => ({ f: () => 1 }) as never });
    const large = task({ name: 'large', execute: () => 'x'.repeat(200_000) });
    const tells = task({ name: 'tells', events: ['seen'], execute: (_, { notify }) => notify('seen', { f: () => 1 }) });
    await stage.worker({ tasks: [odd, large, tells], maxMessageBytes: 100_000 });
    await engine.run('odd');
    await engine.run('large', {}, { requestId: 'r2' });
    await engine.run('tells', {}, { requestId: 'r3', events: ['seen'] });
    const failures = engine.replies.flatMap((reply) => (reply.state === 'FAILURE' ? [reply.data.failure.message] : []));
    expect(failures).toEqual(
      [
        'The result of odd cannot cross from a worker: a function at $.f',
        'The result of large cannot cross from a worker: it takes 200215 bytes, more than the 100000 of maxMessageBytes',
        "The details of 'seen' of tells cannot cross from a worker: a function at $.f",
      ].map((message) => expect.stringContaining(message.slice(0, 60)) as string),
    );
  });
});

describe('a request that comes twice', () => {
  it('is not run again when it has ended: its end is told again', async () => {
    const { made, gate, calls } = held();
    gate.open();
    const worker = await stage.worker({ tasks: [made] });
    await engine.run('held');
    await engine.run('held');
    await engine.run('held', {}, { dispatch: 2 });
    expect(calls()).toBe(1);
    expect(worker.statistics).toMatchObject({ finished: 1, repeated: 2 });
    expect(engine.replies.map(({ state, dispatch }) => [state, dispatch])).toEqual([
      ['SUCCESS', 1],
      ['SUCCESS', 1],
      ['SUCCESS', 2],
    ]);
  });

  it('is not run again while it runs: both are answered by one end', async () => {
    const { made, gate, calls } = held();
    await stage.worker({ tasks: [made] });
    await engine.run('held');
    await engine.run('held', {}, { dispatch: 2 });
    await engine.run('held', {}, { submission: 'of a resumed engine', takesUp: true });
    gate.open();
    await settled();
    expect(calls()).toBe(1);
    expect(engine.replies.at(-1)).toMatchObject({ state: 'SUCCESS', submission: 'of a resumed engine' });
  });

  it('is run again when an engine asks for it anew, and takes up nothing', async () => {
    const { made, gate, calls } = held();
    gate.open();
    await stage.worker({ tasks: [made] });
    await engine.run('held');
    await engine.run('held', {}, { submission: 'another' });
    expect(calls()).toBe(2);
    await engine.run('held', {}, { submission: 'a third', takesUp: true });
    expect(calls()).toBe(2);
    expect(engine.replies.at(-1)).toMatchObject({ state: 'SUCCESS', submission: 'a third', data: { result: '[2]' } });
  });

  it('is run again when its end is forgotten', async () => {
    const { made, gate, calls } = held();
    gate.open();
    await stage.worker({ tasks: [made], resultTtlMs: 1000 });
    await engine.run('held');
    await stage.pass(1001);
    await engine.run('held');
    expect(calls()).toBe(2);
  });
});

describe('an engine that took up a run', () => {
  it('is told what runs, and how ended what has ended', async () => {
    const [runs, ended] = [held('runs'), held('ended')];
    ended.gate.open();
    await stage.worker({ tasks: [runs.made, ended.made] });
    await engine.run('runs', {}, { requestId: 'r1' });
    await engine.run('ended', {}, { requestId: 'r2' });
    engine.replies.length = 0;
    await engine.adopt('r1', 'r2', 'r3');
    expect(engine.replies.map(({ requestId, state }) => [requestId, state])).toEqual([
      ['r1', 'RUNNING'],
      ['r2', 'SUCCESS'],
    ]);
  });
});

describe('a request that is cancelled', () => {
  it('has its task told by its signal', async () => {
    const { made } = held();
    await stage.worker({ tasks: [made] });
    await engine.run('held');
    await engine.cancel('r');
    expect(engine.said).toEqual([['FAILURE', 'AbortError', 'enough']]);
  });

  it('is not begun when it comes afterwards', async () => {
    const { made, calls } = held();
    await stage.worker({ tasks: [made] });
    await engine.cancel('r');
    await engine.run('held');
    expect(calls()).toBe(0);
    expect(engine.said).toEqual([['FAILURE', 'AbortError', 'enough']]);
    expect(await engine.link.deadLetters()).toEqual([]);
  });
});

describe('what a worker refuses', () => {
  it('are tasks that it was not told to run, whatever else is in its process', async () => {
    await stage.worker({ tasks: [echo] });
    await engine.run('fails');
    await engine.run('node:child_process', {}, { requestId: 'r2' });
    await engine.run('constructor', {}, { requestId: 'r3' });
    await engine.run('./programs/worker.js:anything', {}, { requestId: 'r4' });
    expect(engine.said).toEqual(
      Array.from({ length: 4 }, (): unknown => [
        'FAILURE',
        'NotFoundError',
        expect.stringContaining('This worker runs no such task'),
      ]),
    );
  });

  it('are tasks of another major version; those of the same are run', async () => {
    const version = (of: string) => task({ name: 'v', version: of, execute: (): string => of });
    await stage.worker({ tasks: [version('1.2'), version('1.10'), version('2.0')] });
    const ask = (asked: string, requestId: string) =>
      engine.run('v', {}, { task: { name: 'v', version: asked, parameters: '[[]]' }, requestId });
    await ask('1.0', 'r1');
    await ask('1.2', 'r2');
    await ask('3.0', 'r3');
    expect(engine.said).toEqual([
      ['SUCCESS', '["1.10"]'],
      ['SUCCESS', '["1.2"]'],
      ['FAILURE', 'IncompatibleVersionError', expect.stringContaining('version 3.0')],
    ]);
  });

  it('are messages without form, type or address: they become dead letters with their reasons', async () => {
    const worker = await stage.worker({ tasks: [echo] });
    const good = stage.codec.write('REQUEST', REQUEST, { place: 'queue:topic', replyTo: runMailbox('run') });
    await engine.link.send('topic', { ...good, body: Buffer.from('{"version":2') });
    await engine.link.send('topic', { ...good, body: Buffer.from('{"version":7}') });
    await engine.link.send('topic', { ...good, properties: { ...good.properties, type: 'EVIL' } });
    await engine.link.send('topic', { ...good, properties: { type: 'REQUEST' } });
    await settled();
    const reasons = (await engine.link.deadLetters()).map(({ reason }) => reason);
    expect(reasons).toEqual([
      expect.stringContaining('takes JSON in UTF-8'),
      expect.stringContaining('The body of REQUEST does not have its form'),
      expect.stringContaining('A message takes the type REQUEST here, got "EVIL"'),
      expect.stringContaining('nobody to reply to'),
    ]);
    expect(worker.statistics.rejected).toBe(4);
    await engine.run('echo', { x: 1 });
    expect(engine.said).toEqual([['SUCCESS', '[1]']]);
  });

  it('are requests that were given out too often: the engine is told, and they become dead letters', async () => {
    const { made, calls } = held();
    await stage.worker({ tasks: [made] });
    await engine.run('held', {}, { dispatch: 4, maxDeliveries: 3 });
    expect(calls()).toBe(0);
    expect(engine.said).toEqual([['FAILURE', 'WorkerLostError', expect.stringContaining('it was given to 3 workers')]]);
    expect(await engine.link.deadLetters()).toHaveLength(1);
  });
});

describe('a worker that is stopped', () => {
  it('finishes what it has, takes no more, and leaves nothing behind', async () => {
    const { made, gate } = held();
    const worker = await stage.worker({ tasks: [made] });
    await engine.run('held');
    const stopped = worker.stop({ drainMs: 10_000 });
    await settled();
    await engine.run('held', {}, { requestId: 'r2' });
    gate.open();
    await stopped;
    expect(worker.statistics).toMatchObject({ finished: 1, released: 0 });
    const other = await stage.worker({ tasks: [made] });
    await settled();
    expect(other.statistics.finished).toBe(1);
  });

  it('gives back what is not finished in time, to be run elsewhere', async () => {
    const [slow, quick] = [held(), held()];
    quick.gate.open();
    const worker = await stage.worker({ tasks: [slow.made] });
    await engine.run('held');
    const stopped = worker.stop({ drainMs: 1000 });
    await settled();
    await stage.pass(1000);
    await stopped;
    expect(worker.statistics).toMatchObject({ finished: 0, released: 1 });
    await stage.worker({ tasks: [quick.made] });
    expect(quick.calls()).toBe(1);
    expect(engine.replies.at(-1)).toMatchObject({ state: 'SUCCESS', delivery: 2 });
  });

  it('is told once, and may be told before it runs', async () => {
    const worker = new Worker({ topic: 't', ...stage.transport });
    await worker.stop();
    await expect(worker.run()).rejects.toThrow('was run before');
  });
});

describe('the list of what a worker runs', () => {
  class Shout extends Task {
    override execute() {
      return this.name.toUpperCase();
    }
  }
  const twice = taskFactory('twice', (n: number) => task({ name: 'n', execute: () => 2 * n }));

  it('takes tasks, classes, factories and modules', async () => {
    await stage.worker({ tasks: [echo, Shout, { twice, other: 'no task' }] });
    await engine.run('Shout', {}, { task: { name: 'Shout', version: '1.0', parameters: text([{ name: 'me' }]) } });
    await engine.run('twice', {}, { task: { name: 'twice', version: '1.0', parameters: text([21]) }, requestId: 'r2' });
    expect(engine.said).toEqual([
      ['SUCCESS', '["ME"]'],
      ['SUCCESS', '[42]'],
    ]);
  });

  it('takes texts: a module, with what it registers, or one of its exports', async () => {
    const module = new URL('../executors/fixtures/tasks.ts', import.meta.url).href;
    await stage.worker({ tasks: [`${module}:add`] });
    expect(engine.notices.at(-1)).toMatchObject({ tasks: [{ name: 'add' }] });
    await stage.worker({ tasks: [module] });
    const names = (engine.notices.at(-1) as { tasks: { name: string }[] }).tasks.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['add', 'scripted', 'Greet', 'hidden']));
  });

  it.each([
    [['./nowhere.js'], 'The task module ./nowhere.js cannot be loaded'],
    [[new URL('../executors/fixtures/tasks.ts', import.meta.url).href + ':nobody'], 'exports nothing named nobody'],
    [[{ a: 1 }], 'tasks takes modules with tasks, got a module without'],
    [[7], 'tasks takes modules, tasks, classes of tasks and task factories, got 7'],
    [[() => 1], 'takes a task, a class of tasks or a task factory'],
  ])('refuses %o', async (tasks, message) => {
    const worker = new Worker({ topic: 't', ...stage.transport, tasks: tasks as never });
    const ready = expect(worker.waitUntilReady()).rejects.toThrow(message);
    await expect(worker.run()).rejects.toThrow(message);
    await ready;
  });

  it.each([
    [{ topic: '' }, 'topic takes text that is not empty'],
    [{ maxWorkers: 0 }, 'maxWorkers takes a whole number from 1'],
    [{ executor: 'gpu' }, 'executor takes async'],
    [{ heartbeatMs: -1 }, 'heartbeatMs takes milliseconds above 0'],
    [{ concurrency: 3 }, 'There is no worker option "concurrency"'],
  ])('and its other options are checked: %o', (options, message) => {
    expect(() => new Worker({ topic: 't', ...options })).toThrow(message);
  });
});

it('a worker hides the password of its broker in its banner', async () => {
  const worker = await stage.worker({ tasks: [echo], workerId: 'w1' });
  expect(worker.banner).toMatch(/^flowstate worker\n  worker     w1\n  transport  memory:/);
  expect(worker.banner).toContain('- echo (1.0)');
  expect(workerMailbox('w1')).toBe('worker-w1');
});
