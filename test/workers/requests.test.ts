import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  IncompatibleVersionError,
  INTERRUPTED,
  RequestTimeoutError,
  WorkerExecutor,
  WorkerLostError,
} from '../../src/index.js';
import { Failure } from '../../src/failure.js';
import { settled } from '../../src/testing/virtual-environment.js';
import { ask, EVENT, FAILURE, RUNNING, Stage, SUCCESS } from './stage.js';

/* What the engine's side does with requests, on virtual time; the worker's side is played by hand. */

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

/** The error in a failure. */
async function errorOf(outcome: Promise<unknown>): Promise<unknown> {
  const failure = await outcome;
  expect(failure).toBeInstanceOf(Failure);
  return (failure as Failure).error;
}

function stateIn(body: Uint8Array): unknown {
  return (JSON.parse(Buffer.from(body).toString()) as { state?: unknown }).state;
}

describe('a request', () => {
  it('is sent to a worker that runs the task, and ends with what that says', async () => {
    const { worker, asked } = await stage.request();
    expect(worker.request.body).toMatchObject({
      version: 2,
      runId: 'run',
      atom: 'a',
      action: 'execute',
      attempt: 1,
      dispatch: 1,
      takesUp: false,
      idempotencyKey: 'run:0:a:execute',
      task: { name: 'a', version: '1.0' },
      events: ['update_progress', 'seen'],
    });
    await worker.reply(RUNNING);
    expect(asked.begun).toBe(1);
    await worker.reply(SUCCESS('["result"]'));
    expect(await asked.outcome).toBe('result');
  });

  it('has the same id for each execution of one attempt, and another for the next', async () => {
    const { executor, worker } = await stage.pair();
    for (const key of ['run:0:a:execute:1', 'run:0:a:execute:1', 'run:0:a:execute:2']) ask(executor, { key });
    await settled();
    const [first, second, third] = worker.requests.map(({ body }) => body);
    expect(first?.requestId).toBe(second?.requestId);
    expect(first?.submission).not.toBe(second?.submission);
    expect(first?.requestId).not.toBe(third?.requestId);
  });

  it('may end without ever having been said to run', async () => {
    const { worker, asked } = await stage.request();
    await worker.reply(FAILURE('no'));
    expect(await asked.outcome).toMatchObject({ message: 'no' });
  });

  it('counts its first end only, and keeps the reply until that is durable', async () => {
    const { executor, worker } = await stage.pair();
    const acks: unknown[] = [];
    stage.broker.intercept(({ kind, message }) => {
      if (kind === 'ack' && message.properties.type === 'RESPONSE') acks.push(stateIn(message.body));
      return undefined;
    });
    const asked = ask(executor);
    await settled();
    await worker.reply(SUCCESS('[1]'));
    expect(acks).toEqual([]);
    await worker.reply(SUCCESS('[2]'));
    expect(await asked.outcome).toEqual(1);
    asked.submission.settled?.();
    await settled();
    expect(acks).toHaveLength(1);
    // The other might have been for a request that is about to be taken up.
    await stage.pass(1000);
    expect(acks).toHaveLength(2);
  });

  it('hears of events in order, each once, though they come twice', async () => {
    const { worker, asked } = await stage.request();
    stage.broker.intercept(({ kind }) => (kind === 'post' ? 'duplicate' : undefined));
    await worker.reply(EVENT('seen', '[{"n":1},1]'));
    await worker.reply(EVENT('update_progress', '[{"progress":1},0.5]'));
    expect(asked.heard).toEqual([
      ['seen', { n: 1 }],
      [0.5, {}],
    ]);
  });

  it.each([['null'], ['{"a":1}'], ['[{"x":9}]'], ['"nonsense"']])(
    'is not harmed by details such as %s',
    async (details) => {
      const { worker, asked } = await stage.request();
      await worker.reply(EVENT('seen', details));
      await worker.reply(SUCCESS('[1]'));
      expect(await asked.outcome).toBe(1);
      expect(asked.heard).toEqual([]);
    },
  );

  it('that cannot be understood at its end is a failure', async () => {
    const { worker, asked } = await stage.request();
    await worker.reply(SUCCESS('not of ours'));
    expect(await asked.outcome).toMatchObject({ name: 'InvalidFormatError' });
  });
});

describe('a request without a worker', () => {
  it('fails after 60 seconds, and says what it waited for', async () => {
    const executor = await stage.executor();
    const asked = ask(executor);
    await stage.pass(59_999);
    expect(asked.submission.isWaiting?.()).toBe(true);
    expect(asked.submission.waitsFor?.()).toBe("a worker that runs 'a' version 1.0; there is none");
    await stage.pass(1);
    const error = await errorOf(asked.outcome);
    expect(error).toBeInstanceOf(RequestTimeoutError);
    expect(error).toMatchObject({ atom: 'a', limitMs: 60_000 });
  });

  it('fails after noWorkerMs, or waits for ever with null', async () => {
    const hasty = ask(await stage.executor({ noWorkerMs: 100 }));
    const patient = ask(await stage.executor({ transitionTimeoutMs: null }), { name: 'b' });
    await stage.pass(100);
    expect(await errorOf(hasty.outcome)).toMatchObject({ limitMs: 100 });
    await stage.pass(10_000_000);
    expect(patient.submission.isWaiting?.()).toBe(true);
    expect(patient.submission.cancel()).toBe(true);
  });

  it('begins as soon as there is one, which it asks for', async () => {
    const executor = await stage.executor({ topics: ['topic'] });
    const asked = ask(executor);
    await stage.pass(1000);
    const asks: string[] = [];
    stage.broker.intercept(({ kind, place }) => {
      if (kind === 'announce') asks.push(place);
      return undefined;
    });
    await stage.pass(10_000);
    expect(asks).toEqual(['workers', 'workers']);
    const elsewhere = await stage.scripted('w0', 'other');
    await elsewhere.notify();
    expect(elsewhere.requests).toEqual([]);
    const worker = await stage.scripted();
    await worker.notify();
    await worker.reply(SUCCESS('[1]'));
    expect(await asked.outcome).toBe(1);
  });

  it('of its version fails at once, if there are workers of another major version', async () => {
    const executor = await stage.executor();
    const worker = await stage.scripted();
    await worker.notify({ tasks: [{ name: 'a', versions: ['2.3'] }] });
    const asked = ask(executor, { version: '1.0' });
    await stage.pass(500);
    expect(await errorOf(asked.outcome)).toBeInstanceOf(IncompatibleVersionError);
    const near = ask(executor, { version: '2.0' });
    await settled();
    expect(worker.request.body.task.version).toBe('2.0');
    await worker.reply(SUCCESS('[1]'));
    expect(await near.outcome).toBe(1);
  });

  it('is told of by one of TaskFlow, which takes any version', async () => {
    const executor = await stage.executor();
    const worker = await stage.scripted();
    await worker.announce('NOTIFY', { topic: 'topic', tasks: ['a'] });
    await settled();
    ask(executor, { version: '7.1' });
    await settled();
    expect(worker.requests).toHaveLength(1);
  });
});

describe('a worker that is not heard of any more', () => {
  it('loses the request to another, with the same id; what it says then is dropped', async () => {
    const { executor, worker, asked } = await stage.request();
    const first = worker.request.body;
    await worker.reply(RUNNING);
    await stage.pass(14_000);
    await worker.beat();
    await stage.pass(14_999);
    expect(worker.requests).toHaveLength(1);
    await stage.pass(1);
    // Nobody is asked who was just lost, until it says that it is there.
    expect(executor.workers).toEqual([]);
    await worker.notify();
    const second = worker.request.body;
    expect(second).toMatchObject({ requestId: first.requestId, submission: first.submission, dispatch: 2 });
    await worker.reply(SUCCESS('["late"]'), {}, first);
    expect(executor.statistics).toMatchObject({ redispatches: 1, lateReplies: 1 });
    await worker.reply(SUCCESS('["in time"]'), {}, second);
    expect(await asked.outcome).toBe('in time');
  });

  it('makes it fail when it was given to three', async () => {
    const { executor, worker } = await stage.pair();
    const asked = ask(executor);
    for (let dispatch = 1; dispatch <= 3; dispatch++) {
      await settled();
      expect(worker.request.body.dispatch).toBe(dispatch);
      await worker.reply(RUNNING);
      await stage.pass(15_000);
      await worker.notify();
    }
    const error = await errorOf(asked.outcome);
    expect(error).toBeInstanceOf(WorkerLostError);
    expect(String(error)).toContain('the 3th to which it was given');
  });

  it('makes it fail at once with onWorkerLost: fail', async () => {
    const { worker, asked } = await stage.request({ onWorkerLost: 'fail' });
    await worker.reply(RUNNING);
    await stage.pass(15_000);
    expect(await errorOf(asked.outcome)).toBeInstanceOf(WorkerLostError);
  });

  it('is fenced off by the next to which the broker gave the request', async () => {
    const executor = await stage.executor();
    const [first, second] = [await stage.scripted('w1'), await stage.scripted('w2')];
    await first.notify();
    const asked = ask(executor);
    await settled();
    const { body } = [...first.requests, ...second.requests][0] ?? first.request;
    await first.reply(RUNNING, { delivery: 1 }, body);
    await second.reply(RUNNING, { delivery: 2 }, body);
    await first.reply(SUCCESS('["first"]'), { delivery: 1 }, body);
    await second.reply(SUCCESS('["second"]'), { delivery: 2 }, body);
    expect(await asked.outcome).toBe('second');
  });

  it('does not live on by beats that are sent again', async () => {
    const { worker, asked } = await stage.request({ onWorkerLost: 'fail' });
    await worker.reply(RUNNING);
    await worker.beat(worker.request.body, 1);
    for (let times = 0; times < 3; times++) {
      await stage.pass(5000);
      await worker.beat(worker.request.body, 1);
    }
    expect(await errorOf(asked.outcome)).toBeInstanceOf(WorkerLostError);
  });

  it('that never began leaves a request that is in nobody’s hands to its time', async () => {
    const { executor, worker } = await stage.pair();
    const asked = ask(executor);
    for (let times = 0; times < 6; times++) {
      await worker.notify();
      await stage.pass(10_000);
    }
    expect(await errorOf(asked.outcome)).toBeInstanceOf(RequestTimeoutError);
    expect(worker.requests).toHaveLength(1);
    expect(worker.cancelled).toMatchObject([{ requestId: worker.request.body.requestId }]);
  });

  it('that may stand still, with what it got and did not begin with, has it sent once more', async () => {
    const { executor, worker } = await stage.pair();
    const asked = ask(executor);
    await stage.pass(15_000);
    expect(worker.requests).toHaveLength(1);
    await stage.pass(15_000);
    expect(worker.requests.map(({ body }) => body.dispatch)).toEqual([1, 2]);
    await worker.reply(SUCCESS('["of the first"]'), {}, worker.requests[0]?.body);
    await worker.reply(SUCCESS('["of the second"]'));
    expect(await asked.outcome).toBe('of the second');
  });

  it('that a broker has forgotten while it was away is sent once more, and says what it waits for meanwhile', async () => {
    const executor = await stage.executor();
    const worker = await stage.scripted();
    await worker.notify({ capacity: 1 });
    const remember = stage.broker.intercept(({ kind }) => (kind === 'send' ? 'drop' : undefined));
    const asked = ask(executor);
    await settled();
    expect(asked.submission.isWaiting?.()).toBe(false);
    stage.broker.stop();
    await settled();
    expect([asked.submission.isWaiting?.(), asked.submission.waitsFor?.()]).toEqual([
      true,
      'the broker, which cannot be reached',
    ]);
    remember();
    await stage.pass(20_000);
    stage.broker.start();
    await stage.pass(1000);
    expect(asked.submission.waitsFor?.()).toBe(
      'a worker of the topic topic; the broker was away since it was sent there',
    );
    for (let seconds = 0; seconds < 30; seconds += 5) {
      await worker.notify({ capacity: 1 });
      await stage.pass(5000);
    }
    expect(worker.requests.map(({ body }) => body.dispatch)).toEqual([2]);
    await worker.reply(SUCCESS('["found"]'));
    expect(await asked.outcome).toBe('found');
  });

  it('is not missed while all workers of the topic are busy: then the request waits its turn', async () => {
    const executor = await stage.executor();
    const worker = await stage.scripted();
    const busy = () => worker.notify({ capacity: 1, inFlight: 1 });
    await busy();
    const asked = ask(executor);
    for (let times = 0; times < 4; times++) {
      await stage.pass(30_000);
      await busy();
    }
    await worker.reply(SUCCESS('[1]'));
    expect(await asked.outcome).toBe(1);
  });
});

describe('several requests', () => {
  it('go to the topic that has the least to do', async () => {
    const executor = await stage.executor();
    const [small, large] = [await stage.scripted('w1', 'small'), await stage.scripted('w2', 'large')];
    await small.notify({ capacity: 1 });
    await large.notify({ capacity: 3 });
    for (const key of ['k1', 'k2', 'k3', 'k4']) ask(executor, { key });
    await settled();
    expect([small.requests.length, large.requests.length]).toEqual([1, 3]);
  });

  it('are with workers as many at a time as maxInFlight says', async () => {
    const { executor, worker } = await stage.pair({ maxInFlight: 2 });
    const all = ['k1', 'k2', 'k3'].map((key) => ask(executor, { key }));
    await settled();
    expect(worker.requests).toHaveLength(2);
    expect(all[2]?.submission.isWaiting?.()).toBe(true);
    expect(all[2]?.submission.waitsFor?.()).toBeNull();
    await worker.reply(SUCCESS('[1]'));
    expect(worker.requests).toHaveLength(3);
  });
});

describe('a request that was cancelled', () => {
  it('is taken back while it waits', async () => {
    const executor = await stage.executor();
    const asked = ask(executor);
    await settled();
    expect(asked.submission.cancel()).toBe(true);
    const worker = await stage.scripted();
    await worker.notify();
    expect(worker.requests).toEqual([]);
  });

  it('tells the worker that runs it why', async () => {
    const { worker, asked } = await stage.request();
    await worker.reply(RUNNING);
    asked.stop.abort(new DOMException('enough', 'AbortError'));
    await settled();
    expect(worker.cancelled).toMatchObject([
      { reason: { message: 'enough', typeNames: ['AbortError', 'DOMException', 'Error'] } },
    ]);
    expect(asked.submission.cancel()).toBe(false);
    await worker.reply(FAILURE('gave up'));
    expect(await asked.outcome).toMatchObject({ message: 'gave up' });
  });

  it('ends as interrupted when nobody answers', async () => {
    const { asked } = await stage.request();
    asked.stop.abort(new Error('enough'));
    await stage.pass(15_000);
    expect(await asked.outcome).toBe(INTERRUPTED);
  });
});

describe('a request that is taken up', () => {
  it('ends with what came while nobody was there', async () => {
    const before = await stage.executor();
    const worker = await stage.scripted();
    await worker.notify();
    ask(before);
    await settled();
    const { body } = worker.request;
    await before.close();
    await worker.reply(SUCCESS('["meanwhile"]'), {}, body);
    const asked = ask(await stage.executor(), { isTakenUp: true });
    await settled();
    expect(await asked.outcome).toBe('meanwhile');
    expect(worker.requests).toHaveLength(1);
  });

  it('is asked for among the workers, and goes on with the one that runs it', async () => {
    const before = await stage.executor();
    const worker = await stage.scripted();
    await worker.notify();
    ask(before);
    await settled();
    const { body } = worker.request;
    await before.close();
    const asked = ask(await stage.executor(), { isTakenUp: true });
    await settled();
    expect(worker.adoptions).toMatchObject([{ requestIds: [body.requestId] }]);
    await worker.reply(RUNNING, {}, body);
    await stage.pass(5000);
    await worker.beat(body);
    await worker.reply(SUCCESS('["kept"]'), {}, body);
    expect(await asked.outcome).toBe('kept');
    expect(worker.requests).toHaveLength(1);
  });

  it('is sent anew when nobody knows of it, and says that somebody may', async () => {
    const asked = ask(await stage.executor({ adoptMs: 200 }), { isTakenUp: true });
    const worker = await stage.scripted();
    await worker.notify();
    expect(worker.requests).toEqual([]);
    await stage.pass(200);
    expect(worker.request.body).toMatchObject({ takesUp: true, dispatch: 1 });
    await worker.reply(SUCCESS('[1]'));
    expect(await asked.outcome).toBe(1);
  });

  it('listens to whoever answers first, though it was sent anew', async () => {
    const worker = await stage.scripted();
    const before = await stage.executor();
    await worker.notify();
    ask(before);
    await settled();
    const { body } = worker.request;
    await before.close();
    const asked = ask(await stage.executor({ adoptMs: 200 }), { isTakenUp: true });
    await stage.pass(200);
    await worker.notify();
    expect(worker.requests).toHaveLength(2);
    await worker.reply(SUCCESS('["of the first"]'), {}, body);
    expect(await asked.outcome).toBe('of the first');
  });

  it('is one that is new otherwise: old answers are not for it', async () => {
    const before = await stage.executor();
    const worker = await stage.scripted();
    await worker.notify();
    ask(before);
    await settled();
    const { body } = worker.request;
    await before.close();
    await worker.reply(SUCCESS('["old"]'), {}, body);
    const executor = await stage.executor();
    const asked = ask(executor);
    await worker.notify();
    await worker.reply(SUCCESS('["new"]'));
    expect(await asked.outcome).toBe('new');
    await stage.pass(1000);
    expect(executor.statistics.unknownReplies + executor.statistics.lateReplies).toBe(1);
  });
});

describe('an executor', () => {
  it('waits for so many workers, and says how many are missing', async () => {
    const executor = await stage.executor();
    const some = executor.waitForWorkers(2, 1000);
    const worker = await stage.scripted('w1');
    await worker.notify();
    await stage.pass(1000);
    expect(await some).toBe(1);
    const all = executor.waitForWorkers(2);
    await (await stage.scripted('w2')).notify();
    expect(await all).toBe(0);
    await expect(executor.waitForWorkers(0)).rejects.toThrow(RangeError);
  });

  it('forgets workers that are silent, and those that say good-bye', async () => {
    const executor = await stage.executor({ workerExpiryMs: 1000 });
    const [first, second] = [await stage.scripted('w1'), await stage.scripted('w2')];
    await executor.accept([]);
    await first.notify();
    await second.notify();
    await second.bye();
    expect(executor.workers.map(({ id }) => id)).toEqual(['w1']);
    await stage.pass(1001);
    expect(executor.workers).toEqual([]);
  });

  it('drops notices that are sent again: a worker that is gone does not come back by them', async () => {
    const executor = await stage.executor();
    const worker = await stage.scripted();
    await executor.accept([]);
    await worker.notify({ number: 5, inFlight: 3 });
    await worker.notify({ number: 4, inFlight: 0 });
    expect(executor.workers).toMatchObject([{ inFlight: 3 }]);
  });

  it('hears a worker that was killed and started again with its id, whose notices count from 1 again', async () => {
    const executor = await stage.executor();
    const worker = await stage.scripted();
    await worker.notify({ number: 5, inFlight: 3, startedAt: 10 });
    await worker.notify({ number: 1, inFlight: 0, startedAt: 20 });
    expect(executor.workers).toMatchObject([{ inFlight: 0 }]);
    await worker.notify({ number: 6, inFlight: 3, startedAt: 10 });
    expect(executor.workers).toMatchObject([{ inFlight: 0 }]);
  });

  it('counts what it does not understand, and keeps it as a dead letter', async () => {
    const { executor, worker, asked } = await stage.request();
    const body = Buffer.from('{"version":2}');
    await worker.post('run', { properties: { type: 'RESPONSE' }, body });
    await worker.post('run', { properties: { type: 'REQUEST' }, body });
    await worker.link.announce('engines', { properties: { type: 'NOTIFY' }, body: Buffer.from('?') });
    await settled();
    expect(executor.statistics.invalidMessages).toBe(3);
    expect(await worker.link.deadLetters()).toHaveLength(2);
    await worker.reply(SUCCESS('[1]'));
    expect(await asked.outcome).toBe(1);
  });

  it('ends what is under way as interrupted when it is closed', async () => {
    const { executor } = await stage.pair();
    const [one, other] = [ask(executor), ask(executor, { name: 'unknown' })];
    await settled();
    await executor.close();
    expect(await Promise.all([one.outcome, other.outcome])).toEqual([INTERRUPTED, INTERRUPTED]);
    expect(() => ask(executor)).toThrow('The executor workers is closed');
  });

  it.each([
    [{ topics: 'a' }, 'topics takes a list of names'],
    [{ onWorkerLost: 'cry' }, "onWorkerLost takes 'redispatch' or 'fail'"],
    [{ maxInFlight: 0 }, 'maxInFlight takes a whole number from 1'],
    [{ leaseMs: 0 }, 'leaseMs takes milliseconds above 0'],
    [{ transitionTimeoutMs: -1 }, 'transitionTimeoutMs takes milliseconds above 0, or null'],
    [{ keyId: 'x' }, 'keyId is of use with keys only'],
    [{ keys: { a: 's', b: 't' } }, 'keyId takes one of the ids in keys (a, b)'],
    [{ topicz: ['a'] }, 'There is no worker executor option "topicz"'],
  ])('refuses %o', (options, message) => {
    expect(() => new WorkerExecutor(options as never)).toThrow(message);
  });
});
