import { same } from '../checks.js';
import { HOSTILE_NAMES } from '../hostile-names.js';
import { acking, Inbox, LONG_MS, text, textOf } from './suite.js';
import type { Suite } from './suite.js';
import type { Message } from '../../workers/transport.js';

const LARGE_BYTES = 1024 * 1024;
const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

const BODIES: readonly (readonly [string, Uint8Array])[] = [
  ['no byte', new Uint8Array()],
  ['every byte', everyByte],
  ['a megabyte', Uint8Array.from({ length: LARGE_BYTES }, (_, index) => (index * 31) % 251)],
];

/** What a transport promises of what it carries. */
export function carriagePromises({ describe, test }: Suite): void {
  describe('messages', () => {
    for (const [what, body] of BODIES) {
      test(`come as they were sent: ${what}`, async ({ open }) => {
        const link = await open();
        const [queue, mailbox, room] = [new Inbox(), new Inbox(), new Inbox<Message>()];
        await link.consume('topic', { prefetch: 1 }, acking(queue));
        await link.receive('box', { prefetch: 1, expiryMs: LONG_MS }, acking(mailbox));
        await link.listen('room', room.take);
        const message = { properties: { type: 'BYTES' }, body };
        await link.send('topic', message);
        await link.post('box', message);
        await link.announce('room', message);
        for (const came of [(await queue.next()).message, (await mailbox.next()).message, await room.next()]) {
          same(Buffer.compare(came.body, body), 0);
          same(came.properties, message.properties);
        }
      });
    }

    test('come with all their properties', async ({ open }) => {
      const link = await open();
      const [queue, mailbox, room] = [new Inbox(), new Inbox(), new Inbox<Message>()];
      await link.consume('topic', { prefetch: 1 }, acking(queue));
      await link.receive('box', { prefetch: 1, expiryMs: LONG_MS }, acking(mailbox));
      await link.listen('room', room.take);
      const headers = {
        'x-sign': 'a'.repeat(1000),
        'x-empty': '',
        'x-text': 'line\nbreak "quoted" 名前 \u{1f642}',
        type: 'other',
      };
      const properties = { type: 'REQUEST', replyTo: `reply ${'r'.repeat(300)}`, correlationId: '名前', headers };
      const message = { properties, body: Buffer.from('x') };
      await link.send('topic', message);
      await link.post('box', message);
      await link.announce('room', message);
      same((await queue.next()).message.properties, properties);
      same((await mailbox.next()).message.properties, properties);
      same((await room.next()).properties, properties);
    });

    test('are the same to whoever gets them, whatever becomes of the sent one', async ({ open }) => {
      const link = await open();
      const inbox = new Inbox();
      const body = Buffer.from('before');
      await link.send('topic', { properties: { type: 'T' }, body });
      body.write('after!');
      await link.consume('topic', { prefetch: 1 }, acking(inbox));
      same(textOf((await inbox.next()).message), 'before');
    });

    test('go to queues, mailboxes and rooms of any name, each of its own', async ({ open }) => {
      const link = await open();
      const names = [...HOSTILE_NAMES, 'a.b', 'a/b', 'a:b', '{a}', '..', '.', '#', '*'];
      const came = new Map<string, string>();
      const inboxes: Inbox<unknown>[] = [];
      for (const name of names) {
        const inbox = new Inbox<unknown>();
        inboxes.push(inbox);
        const take = (kind: string) => (message: Message) => {
          came.set(`${kind} of ${name}`, textOf(message));
          inbox.take(message);
        };
        const answer = (kind: string) => (delivery: { message: Message; ack: () => Promise<void> }) => {
          void delivery.ack();
          take(kind)(delivery.message);
        };
        await link.consume(name, { prefetch: 1 }, answer('queue'));
        await link.receive(name, { prefetch: 1, expiryMs: LONG_MS }, answer('mailbox'));
        await link.listen(name, take('room'));
      }
      for (const name of names) {
        await link.send(name, text(`queue of ${name}`));
        await link.post(name, text(`mailbox of ${name}`));
        await link.announce(name, text(`room of ${name}`));
      }
      for (const inbox of inboxes) await inbox.has(3);
      for (const [place, content] of came) same(content, Buffer.from(place).toString());
      same(came.size, names.length * 3);
    });

    test('stay in their exchange', async ({ open, openOther }) => {
      const [link, other] = [await open(), await openOther()];
      const [inbox, others, heard] = [new Inbox(), new Inbox(), new Inbox<Message>()];
      await link.consume('topic', { prefetch: 1 }, acking(inbox));
      await other.consume('topic', { prefetch: 1 }, acking(others));
      await other.listen('room', heard.take);
      same(await other.post('box', text('x')), false);
      await link.receive('box', { prefetch: 1, expiryMs: LONG_MS }, () => undefined);
      same(await other.post('box', text('x')), false);
      await link.send('topic', text('one'));
      await link.announce('room', text('one'));
      await other.send('topic', text('two'));
      await other.announce('room', text('two'));
      same(textOf((await inbox.next()).message), 'one');
      same(textOf((await others.next()).message), 'two');
      same(textOf(await heard.next()), 'two');
    });
  });
}
