import { describe, expect, it } from 'vitest';
import { TransportError } from '../../src/errors.js';
import { acking, Inbox, text, textOf, textsOf } from '../../src/testing/transport-suite/suite.js';
import { settled, virtualEnvironment } from '../../src/testing/virtual-environment.js';
import type { Link, Message } from '../../src/workers/transport.js';
import { transport } from '../../src/workers/transport-registry.js';
import { MemoryBroker } from '../../src/workers/transports/memory/broker.js';
import type { Fate, Passage } from '../../src/workers/transports/memory/faults.js';

const TOPIC = 'payments';

/** A broker whose time stands still, and links to it that try again a second later. */
function brokerAt({ maxRetries = 3 }: { readonly maxRetries?: number | null } = {}) {
  const environment = virtualEnvironment();
  const broker = new MemoryBroker({ environment });
  const open = async (): Promise<Link> => {
    const options = { transport: 'memory', transportOptions: { broker }, retryOptions: { maxRetries }, environment };
    return (await transport(options)).open();
  };
  /** Lets time pass, second by second, and what follows from it happen. */
  const advance = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      await settled();
      environment.clock.advance(1000);
    }
    await settled();
  };
  /** The next of these passages, whose message has this text, gets this fate. */
  const once = (kind: Passage['kind'], content: string, fate: Fate) => {
    const end = broker.intercept((passage) => {
      if (passage.kind !== kind || textOf(passage.message) !== content) return undefined;
      end();
      return fate;
    });
  };
  return { broker, clock: environment.clock, open, advance, once };
}

/** What a promise has come to, without waiting for it. */
function watch(promise: Promise<unknown>): { state: 'pending' | 'resolved' | 'rejected' } {
  const watched: { state: 'pending' | 'resolved' | 'rejected' } = { state: 'pending' };
  promise.then(
    () => (watched.state = 'resolved'),
    () => (watched.state = 'rejected'),
  );
  return watched;
}

describe('a message on its way to a broker in memory', () => {
  it('that is dropped never comes, though its sender believes it did', async () => {
    const { open, once } = brokerAt();
    const link = await open();
    const [queue, mailbox, room] = [new Inbox(), new Inbox(), new Inbox<Message>()];
    await link.consume(TOPIC, { prefetch: 9 }, acking(queue));
    await link.receive('box', { prefetch: 9, expiryMs: 1000 }, acking(mailbox));
    await link.listen('room', room.take);
    for (const kind of ['send', 'post', 'announce'] as const) once(kind, 'lost', 'drop');
    for (const each of ['lost', 'kept']) {
      await link.send(TOPIC, text(each));
      expect(await link.post('box', text(each))).toBe(true);
      await link.announce('room', text(each));
    }
    await settled();
    expect([textsOf(queue.items), textsOf(mailbox.items), room.items.map(textOf)]).toEqual([
      ['kept'],
      ['kept'],
      ['kept'],
    ]);
  });

  it('that is duplicated comes twice, as two messages', async () => {
    const { open, once } = brokerAt();
    const link = await open();
    const [queue, mailbox, room] = [new Inbox(), new Inbox(), new Inbox<Message>()];
    await link.consume(TOPIC, { prefetch: 9 }, acking(queue));
    await link.receive('box', { prefetch: 9, expiryMs: 1000 }, acking(mailbox));
    await link.listen('room', room.take);
    for (const kind of ['send', 'post', 'announce'] as const) once(kind, 'twice', 'duplicate');
    await link.send(TOPIC, text('twice'));
    await link.post('box', text('twice'));
    await link.announce('room', text('twice'));
    await settled();
    const twice = ['twice', 'twice'];
    expect([textsOf(queue.items), textsOf(mailbox.items), room.items.map(textOf)]).toEqual([twice, twice, twice]);
    expect(queue.items.map(({ deliveries }) => deliveries)).toEqual([1, 1]);
  });

  it('that is reordered comes behind the next one for its place, whatever is answered or sent elsewhere', async () => {
    const { open, once } = brokerAt();
    const link = await open();
    const inbox = new Inbox();
    await link.consume(TOPIC, { prefetch: 9 }, inbox.take);
    await link.receive(TOPIC, { prefetch: 9, expiryMs: 1000 }, () => undefined);
    await link.send(TOPIC, text('zero'));
    await settled();
    once('send', 'one', 'reorder');
    await link.send(TOPIC, text('one'));
    await inbox.items[0]?.ack();
    await link.send('other', text('elsewhere'));
    await link.post(TOPIC, text('a mailbox of the same name'));
    await settled();
    expect(textsOf(inbox.items)).toEqual(['zero']);
    await link.send(TOPIC, text('two'));
    await link.send(TOPIC, text('three'));
    await settled();
    expect(textsOf(inbox.items)).toEqual(['zero', 'two', 'one', 'three']);
  });

  it('that is reordered comes after a tenth of a second where nothing comes to pass it', async () => {
    const { clock, open, once } = brokerAt();
    const link = await open();
    const inbox = new Inbox();
    await link.consume(TOPIC, { prefetch: 9 }, acking(inbox));
    once('send', 'last', 'reorder');
    await link.send(TOPIC, text('last'));
    clock.advance(99);
    await settled();
    expect(inbox.items).toEqual([]);
    clock.advance(1);
    await settled();
    expect(textsOf(inbox.items)).toEqual(['last']);
    await link.send(TOPIC, text('another'));
    clock.advance(1000);
    await settled();
    expect(textsOf(inbox.items)).toEqual(['last', 'another']);
  });

  it('that is delayed comes so much later, and what was sent after it does not wait', async () => {
    const { clock, open, once } = brokerAt();
    const link = await open();
    const inbox = new Inbox();
    await link.consume(TOPIC, { prefetch: 9 }, acking(inbox));
    once('send', 'late', { delayMs: 5000 });
    await link.send(TOPIC, text('late'));
    await link.send(TOPIC, text('prompt'));
    clock.advance(4999);
    await settled();
    expect(textsOf(inbox.items)).toEqual(['prompt']);
    clock.advance(1);
    await settled();
    expect(textsOf(inbox.items)).toEqual(['prompt', 'late']);
  });

  it('is another one, where that comes instead', async () => {
    const { open, once } = brokerAt();
    const link = await open();
    const inbox = new Inbox();
    await link.consume(TOPIC, { prefetch: 9 }, acking(inbox));
    const forged = { properties: { type: 'FORGED' }, body: Buffer.from('truncat') };
    once('send', 'truncated', { instead: forged });
    await link.send(TOPIC, text('truncated'));
    await settled();
    expect(inbox.items.map(({ message }) => [message.properties.type, textOf(message)])).toEqual([
      ['FORGED', 'truncat'],
    ]);
  });

  it('is sent again when the connection is cut before it is there, and comes once', async () => {
    const { open, once, advance } = brokerAt();
    const [sender, reader] = [await open(), await open()];
    const inbox = new Inbox();
    await reader.consume(TOPIC, { prefetch: 9 }, acking(inbox));
    once('send', 'cut', 'cutBefore');
    const sending = watch(sender.send(TOPIC, text('cut')));
    await settled();
    expect([sending.state, textsOf(inbox.items)]).toEqual(['pending', []]);
    await advance(1);
    expect([sending.state, textsOf(inbox.items)]).toEqual(['resolved', ['cut']]);
  });

  it('is sent again when the connection is cut before it is confirmed, and comes twice', async () => {
    const { open, once, advance } = brokerAt();
    const [sender, reader] = [await open(), await open()];
    const inbox = new Inbox();
    await reader.consume(TOPIC, { prefetch: 9 }, acking(inbox));
    once('send', 'cut', 'cutAfter');
    const sending = watch(sender.send(TOPIC, text('cut')));
    await settled();
    expect([sending.state, textsOf(inbox.items)]).toEqual(['pending', ['cut']]);
    await advance(1);
    expect([sending.state, textsOf(inbox.items)]).toEqual(['resolved', ['cut', 'cut']]);
  });

  it('gets the fate that the first rule gives it, until the rule is taken away', async () => {
    const { broker, open } = brokerAt();
    const link = await open();
    const seen: string[] = [];
    const endFirst = broker.intercept(({ kind, exchange, place }) => void seen.push(`${kind} ${exchange} ${place}`));
    const endSecond = broker.intercept(() => 'deliver');
    broker.intercept(() => 'drop');
    const inbox = new Inbox();
    await link.consume(TOPIC, { prefetch: 9 }, inbox.take);
    await link.send(TOPIC, text('first'));
    endFirst();
    endFirst();
    endSecond();
    await link.send(TOPIC, text('second'));
    await settled();
    expect([seen, textsOf(inbox.items)]).toEqual([['send default payments'], ['first']]);
  });
});

describe('an answer on its way to a broker in memory', () => {
  async function heldBy(options: Parameters<typeof brokerAt>[0] = {}) {
    const at = brokerAt(options);
    const [link, other] = [await at.open(), await at.open()];
    const inbox = new Inbox();
    await link.consume(TOPIC, { prefetch: 1 }, inbox.take);
    await link.send(TOPIC, text('one'));
    const held = await inbox.next();
    /** What is given to somebody when the first consumer is gone. */
    const left = async () => {
      at.broker.crash(link);
      const rest = new Inbox();
      await other.consume(TOPIC, { prefetch: 9 }, acking(rest));
      await settled();
      return rest.items.map(({ message, deliveries }) => [textOf(message), deliveries]);
    };
    return { ...at, link, other, inbox, held, left };
  }

  it('that is dropped leaves the message with its consumer, until that is gone', async () => {
    const { once, held, left } = await heldBy();
    once('ack', 'one', 'drop');
    await held.ack();
    expect(await left()).toEqual([['one', 2]]);
  });

  it.each(['ack', 'release', 'reject'] as const)('that is duplicated is the same as one: %s', async (kind) => {
    const { once, held, other, left } = await heldBy();
    once(kind, 'one', 'duplicate');
    await held[kind]('bad');
    await settled();
    const letters = (await other.deadLetters()).map(({ reason }) => reason);
    expect([letters, await left()]).toEqual([kind === 'reject' ? ['bad'] : [], kind === 'release' ? [['one', 3]] : []]);
  });

  it('that is delayed is too late when its consumer is gone', async () => {
    const { clock, once, held, left } = await heldBy();
    once('ack', 'one', { delayMs: 1000 });
    await held.ack();
    expect(await left()).toEqual([['one', 2]]);
    clock.advance(1000);
  });

  it('that is delayed counts when it comes', async () => {
    const { clock, once, held, left } = await heldBy();
    once('ack', 'one', { delayMs: 1000 });
    await held.ack();
    clock.advance(1000);
    expect(await left()).toEqual([]);
  });

  it('is for nobody when the connection is cut before it is there: the message comes again', async () => {
    const { once, held, inbox, advance } = await heldBy();
    once('ack', 'one', 'cutBefore');
    await held.ack();
    await advance(1);
    expect(inbox.items.map(({ message, deliveries }) => [textOf(message), deliveries])).toEqual([
      ['one', 1],
      ['one', 2],
    ]);
  });

  it('counts when the connection is cut after it', async () => {
    const { once, held, inbox, link, advance } = await heldBy();
    once('ack', 'one', 'cutAfter');
    await held.ack();
    await advance(1);
    await link.send(TOPIC, text('two'));
    await settled();
    expect(textsOf(inbox.items)).toEqual(['one', 'two']);
  });
});

describe('a link to a broker in memory', () => {
  it('that crashes says nothing more: what it had comes to others, and it is of no use', async () => {
    const { broker, open } = brokerAt();
    const [dying, living] = [await open(), await open()];
    const news: boolean[] = [];
    dying.onConnection((isConnected) => news.push(isConnected));
    const [lost, kept, box] = [new Inbox(), new Inbox(), new Inbox()];
    await dying.consume(TOPIC, { prefetch: 2 }, lost.take);
    await dying.receive('box', { prefetch: 2, expiryMs: 1000 }, box.take);
    for (const each of ['one', 'two', 'three']) await living.send(TOPIC, text(each));
    await lost.has(2);
    expect(broker.links).toBe(2);
    broker.crash(dying);
    expect(broker.links).toBe(1);
    await lost.items[0]?.ack();
    await lost.items[1]?.reject('late');
    await living.consume(TOPIC, { prefetch: 9 }, acking(kept));
    await settled();
    expect(kept.items.map(({ message, deliveries }) => [textOf(message), deliveries])).toEqual([
      ['one', 2],
      ['two', 2],
      ['three', 1],
    ]);
    expect([await living.deadLetters(), await living.post('box', text('x')), news]).toEqual([[], true, []]);
    await expect(dying.send(TOPIC, text('four'))).rejects.toThrow(TransportError);
  });

  it('leaves its mailbox to expire when it crashes', async () => {
    const { broker, clock, open } = brokerAt();
    const [dying, living] = [await open(), await open()];
    await dying.receive('box', { prefetch: 2, expiryMs: 1000 }, () => undefined);
    clock.advance(5000);
    broker.crash(dying);
    clock.advance(999);
    expect(await living.post('box', text('x'))).toBe(true);
    clock.advance(1);
    expect(await living.post('box', text('x'))).toBe(false);
  });

  it('that is cut comes back when its pause is over, others being left alone', async () => {
    const { broker, open, advance } = brokerAt();
    const [one, other] = [await open(), await open()];
    const news: string[] = [];
    for (const [name, link] of Object.entries({ one, other }))
      link.onConnection((isConnected) => news.push(`${name} ${isConnected}`));
    broker.cut(one);
    await other.send(TOPIC, text('x'));
    expect(news).toEqual(['one false']);
    await advance(1);
    expect(news).toEqual(['one false', 'one true']);
  });
});

describe('a broker in memory that is stopped', () => {
  it('keeps what it has, and is tried again until the retries are used up', async () => {
    const { broker, open, advance } = brokerAt({ maxRetries: 2 });
    const link = await open();
    await link.send(TOPIC, text('before'));
    broker.stop();
    expect(broker.isUp).toBe(false);
    const sending = link.send(TOPIC, text('meanwhile'));
    const opening = open();
    const states = [watch(sending), watch(opening)];
    await advance(1);
    expect(states.map(({ state }) => state)).toEqual(['pending', 'pending']);
    await advance(1);
    expect(states.map(({ state }) => state)).toEqual(['rejected', 'rejected']);
    await expect(sending).rejects.toThrow('memory:// cannot be reached, after 3 attempts');
    await expect(opening).rejects.toThrow('memory:// cannot be reached, after 3 attempts');
    broker.start();
    await advance(1);
    const inbox = new Inbox();
    await link.consume(TOPIC, { prefetch: 9 }, acking(inbox));
    await settled();
    expect(textsOf(inbox.items)).toEqual(['before']);
  });

  it('is waited for, for ever, by whoever may try as often', async () => {
    const { broker, open, advance } = brokerAt({ maxRetries: null });
    const link = await open();
    const inbox = new Inbox();
    await link.consume(TOPIC, { prefetch: 9 }, acking(inbox));
    broker.stop();
    const sending = watch(link.send(TOPIC, text('patient')));
    await advance(600);
    expect(sending.state).toBe('pending');
    broker.start();
    await advance(2);
    expect([sending.state, textsOf(inbox.items)]).toEqual(['resolved', ['patient']]);
  });

  it('lets nobody wait whose link is closed', async () => {
    const { broker, open, clock } = brokerAt({ maxRetries: null });
    const link = await open();
    broker.stop();
    const sending = link.send(TOPIC, text('x'));
    const refused = expect(sending).rejects.toThrow('The connection to memory:// is closed');
    await settled();
    await link.close();
    await refused;
    expect([broker.links, clock.pending]).toEqual([0, 0]);
  });
});
