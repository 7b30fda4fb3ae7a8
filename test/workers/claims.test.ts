import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { task } from '../../src/index.js';
import { settled } from '../../src/testing/virtual-environment.js';
import { MessageCodec, PLACES, runMailbox, workerMailbox } from '../../src/workers/protocol/codec.js';
import { SCHEMAS } from '../../src/workers/protocol/messages.js';
import type { Body, RequestBody } from '../../src/workers/protocol/messages.js';
import { signing } from '../../src/workers/protocol/signing.js';
import { requestIdOf } from '../../src/workers/protocol/values.js';
import type { Message } from '../../src/workers/transport.js';
import { REQUEST } from './messages.js';
import type { Arrived } from './stage.js';
import { ask, Stage, SUCCESS, WAITING } from './stage.js';

/* Signed requests may have been recorded and sent again: what engine and worker make of them, on virtual time. */

const keys = { ours: 'a secret' };

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

const signs = () => signing({ keys }, stage.clock);

describe('the engine of a signed request', () => {
  const REFUSED = 'a worker has it already: somebody has sent it twice';

  async function two() {
    const executor = await stage.executor({ keys });
    const [one, other] = [
      await stage.scripted('w1', 'topic', signs()),
      await stage.scripted('w2', 'topic', signs()),
    ] as const;
    await one.notify();
    await other.notify();
    const asked = ask(executor);
    await settled();
    const [{ body }] = [...one.requests, ...other.requests] as [Arrived];
    const said = () => [...one.grants, ...other.grants].map(({ claim, refusal }) => [claim, refusal]);
    return { executor, one, other, asked, body, said };
  }

  it('lets the first run it that asks, and who gets it when that one is gone', async () => {
    const { one, other, asked, body, said } = await two();
    await one.claim('first', body);
    await one.claim('first', body);
    await other.claim('a replay', body);
    await one.claim('another replay', body);
    await other.claim('given out again', body, 2);
    expect(said()).toEqual([
      ['first', null],
      ['first', null],
      ['another replay', REFUSED],
      ['a replay', REFUSED],
      ['given out again', null],
    ]);
    await other.reply(SUCCESS('["once"]'), { delivery: 2 }, body);
    expect(await asked.outcome).toBe('once');
  });

  it('lets nobody run it when it has ended, was sent again, or is not known', async () => {
    const { one, asked, body, said } = await two();
    await one.claim('of another dispatch', { ...body, dispatch: 2 });
    await one.claim('of another submission', { ...body, submission: 'x' });
    await one.claim('of another request', { ...body, requestId: 'x' });
    await stage.pass(1000);
    await one.reply(SUCCESS('[1]'), {}, body);
    await asked.outcome;
    await one.claim('late', body);
    expect(said().map(([claim]) => claim)).toEqual([
      'of another dispatch',
      'of another submission',
      'of another request',
      'late',
    ]);
    expect(said().every(([, refusal]) => refusal !== null)).toBe(true);
  });

  it('sends it again when a worker that was not answered gives it back, and not when another has it', async () => {
    const { one, other, body } = await two();
    const sent = () => one.requests.length + other.requests.length;
    await one.claim('first', body);
    await other.reply(WAITING, {}, body);
    expect(sent()).toBe(1);
    await one.reply(WAITING, {}, body);
    expect(sent()).toBe(2);
    expect([...one.requests, ...other.requests].map((each) => each.body.dispatch).toSorted()).toEqual([1, 2]);
  });

  it('makes it for the only worker that there is, which need not ask; another may not run it', async () => {
    const executor = await stage.executor({ keys });
    const worker = await stage.scripted('w1', 'topic', signs());
    await worker.notify({ startedAt: 5 });
    const asked = ask(executor);
    await settled();
    const { body } = worker.request;
    expect(body.sole).toEqual({ workerId: 'w1', startedAt: 5 });
    const other = await stage.scripted('w2', 'other', signs());
    await other.claim('a replay, or it went astray', body);
    expect(other.grants).toMatchObject([{ refusal: REFUSED }]);
    expect(asked.submission.waitsFor?.()).toBe('a worker of the topic topic; it came to another than it was made for');
    // It may be that nobody has it: then it is sent once more.
    await stage.pass(15_000);
    expect(worker.requests.map((each) => each.body.dispatch)).toEqual([1, 2]);
  });

  it('makes it for nobody where several could get it, or messages are not signed', async () => {
    const { body } = await two();
    expect(body.sole).toBeUndefined();
    const plain = await stage.executor({ topics: ['plain'] });
    const worker = await stage.scripted('w3', 'plain');
    await worker.notify();
    ask(plain, { key: 'other' });
    await settled();
    expect(worker.request.body.sole).toBeUndefined();
  });

  it('lets who asked while no engine was there run what an earlier one has sent', async () => {
    const worker = await stage.scripted('w1', 'topic', signs());
    const link = await stage.link();
    const box = await link.receive(runMailbox('run'), { prefetch: 1, expiryMs: 10_000 }, () => undefined);
    await box.stop();
    const executor = await stage.executor({ keys });
    const key = 'run:0:a:execute';
    const earlier = { runId: 'run', requestId: requestIdOf(key), submission: 'earlier', dispatch: 1 };
    await worker.claim('before', { ...REQUEST, ...earlier });
    const asked = ask(executor, { isTakenUp: true, key });
    await settled();
    expect(worker.grants).toMatchObject([{ claim: 'before', refusal: null }]);
    await worker.reply(SUCCESS('["of before"]'), {}, { ...REQUEST, ...earlier });
    expect(await asked.outcome).toBe('of before');
  });
});

describe('a worker with a signed request', () => {
  const effects: string[] = [];
  const count = task({
    name: 'a',
    execute: (_, { idempotencyKey }) => {
      effects.push(idempotencyKey);
    },
  });
  beforeEach(() => {
    effects.length = 0;
  });

  /** An engine that answers as the test says. */
  async function scene(options: { readonly hasMailbox?: boolean } = {}) {
    const worker = await stage.worker({ tasks: [count], workerId: 'w', keys });
    const link = await stage.link();
    const codec = new MessageCodec({ signing: signs(), maxMessageBytes: 2 ** 20, schemas: SCHEMAS });
    const mailbox = runMailbox('run');
    const claims: Body<'CLAIM'>[] = [];
    const states: string[] = [];
    if (options.hasMailbox !== false) {
      await link.receive(mailbox, { prefetch: 100, expiryMs: 10_000 }, (delivery) => {
        const envelope = codec.read(delivery.message, PLACES.mailbox(mailbox), ['RESPONSE', 'HEARTBEAT', 'CLAIM']);
        if (envelope.type === 'CLAIM') claims.push(envelope.body);
        else if (envelope.type === 'RESPONSE') states.push(envelope.body.state);
        void delivery.ack();
      });
    }
    const written = (more: Partial<RequestBody> = {}) =>
      codec.write('REQUEST', { ...REQUEST, ...more }, { place: PLACES.queue('topic'), replyTo: mailbox });
    return {
      worker,
      claims,
      states,
      written,
      async send(message: Message) {
        await link.send('topic', message);
        await settled();
      },
      async answer(refusal: string | null) {
        const { claim } = claims.at(-1) as Body<'CLAIM'>;
        const place = PLACES.mailbox(workerMailbox('w'));
        await link.post(workerMailbox('w'), codec.write('GRANT', { version: 2, claim, refusal }, { place }));
        await settled();
      },
      letters: async () => (await link.deadLetters()).map(({ reason }) => reason),
    };
  }

  it('runs it when its engine says so, and not before', async () => {
    const { claims, written, send, answer } = await scene();
    await send(written());
    expect(claims).toMatchObject([{ requestId: 'r', submission: 's', dispatch: 1, workerId: 'w', delivery: 1 }]);
    expect(effects).toEqual([]);
    await answer(null);
    await answer(null);
    expect(effects).toEqual(['k']);
  });

  it('makes a dead letter of what its engine refuses, and of what no run asks for any more', async () => {
    const { written, send, answer, letters, worker } = await scene();
    await send(written());
    await answer('another has it');
    expect(await letters()).toEqual(['it was sent before, or comes too late: another has it']);
    expect([effects, worker.statistics.rejected]).toEqual([[], 1]);
  });

  it('makes a dead letter of what comes when the mailbox of its run is gone', async () => {
    const { written, send, letters } = await scene({ hasMailbox: false });
    await send(written());
    expect([await letters(), effects]).toEqual([['it was sent before, or comes too late: its run has ended'], []]);
  });

  it('asks again, and gives it back when nobody answers within the lease', async () => {
    const { claims, states, written, send, worker } = await scene();
    await send(written());
    for (let seconds = 0; seconds < 15; seconds += 3) await stage.pass(3000);
    expect(new Set(claims.map(({ claim }) => claim)).size).toBe(1);
    expect([claims.length, states, effects, worker.statistics.released]).toEqual([5, ['WAITING'], [], 1]);
  });

  it('gives it to others when it is stopped before it is answered', async () => {
    const { written, send, worker } = await scene();
    await send(written());
    await worker.stop();
    const other = await stage.link();
    const given: number[] = [];
    await other.consume('topic', { prefetch: 1 }, ({ deliveries }) => given.push(deliveries));
    await settled();
    expect([given, effects]).toEqual([[2], []]);
  });

  it('need not ask for what was made for it alone, once: it is the only one, and knows what was here', async () => {
    const { claims, written, send } = await scene();
    const sole = { workerId: 'w', startedAt: stage.clock.now() };
    const message = written({ sole });
    await send(message);
    expect([claims, effects]).toEqual([[], ['k']]);
    await send(message);
    expect([claims.length, effects]).toEqual([1, ['k']]);
    await send(written({ requestId: 'r2', sole: { ...sole, startedAt: sole.startedAt - 1 } }));
    await send(written({ requestId: 'r3', sole: { ...sole, workerId: 'another' } }));
    expect([claims.length, effects]).toEqual([3, ['k']]);
  });
});
