import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TransportError } from '../../src/errors.js';
import { acking, Inbox, LONG_MS, text, textOf, textsFrom, until } from '../../src/testing/transport-suite/suite.js';
import { transportSuite } from '../../src/testing/transport-suite/transport-suite.js';
import type { Message } from '../../src/workers/transport.js';
import { transport } from '../../src/workers/transport-registry.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { ChildConsumer } from './child-consumer.js';
import { newsOf, testLinks } from './links.js';

const folder = mkdtempSync(join(tmpdir(), 'flowstate-transport-'));
afterAll(() => rmSync(folder, { recursive: true }));

const retryOptions = { intervalStartMs: 5, intervalStepMs: 5, intervalMaxMs: 20, maxRetries: 5 };

transportSuite({
  name: 'filesystem',
  transport: (exchange) => transport({ url: `filesystem:${folder}?pollingIntervalMs=20`, exchange, retryOptions }),
  leftovers: async (exchange) => (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name === exchange),
  describe,
  it,
});

describe('messages in folders', () => {
  const links = testLinks({ transport: 'filesystem', exchange: 'shop', retryOptions });
  const children: ChildConsumer[] = [];
  let sources: CompiledSources;
  let folders = 0;
  const newFolder = () => join(folder, `own ${(folders += 1)}`);
  beforeAll(() => {
    sources = compileSources();
  });
  afterAll(() => sources[Symbol.dispose]());
  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill();
  });

  const open = (transportOptions: Record<string, unknown>) => links.open({ transportOptions });

  function startChild(url: string): ChildConsumer {
    const child = ChildConsumer.start(sources, url, 'shop', 'payments');
    children.push(child);
    return child;
  }

  it('go from what one writes to where the other reads, as in two folders that are swapped', async () => {
    const [one, other] = [newFolder(), newFolder()];
    const engine = await open({ dataFolderIn: one, dataFolderOut: other, pollingIntervalMs: 20 });
    const worker = await open({ dataFolderIn: other, dataFolderOut: one, pollingIntervalMs: 20 });
    const [replies, heard] = [new Inbox(), new Inbox<Message>()];
    await worker.consume('payments', { prefetch: 1 }, (delivery) => {
      void worker.post('engine', delivery.message).then(() => delivery.ack());
    });
    await engine.receive('engine', { prefetch: 1, expiryMs: LONG_MS }, acking(replies));
    await engine.listen('engines', heard.take);
    await engine.send('payments', text('charge'));
    await worker.announce('engines', text('here'));
    expect(textOf((await replies.next()).message)).toBe('charge');
    expect(textOf(await heard.next())).toBe('here');
  });

  it('are kept when they are dealt with, where that is asked for', async () => {
    const [path, processedFolder] = [newFolder(), newFolder()];
    const link = await open({ path, storeProcessed: true, processedFolder });
    const inbox = new Inbox();
    await link.consume('payments', { prefetch: 1 }, inbox.take);
    await link.send('payments', text('charge'));
    await (await inbox.next()).ack();
    const [name = ''] = readdirSync(join(processedFolder, 'shop'));
    expect(readFileSync(join(processedFolder, 'shop', name), 'utf8')).toMatch(/\ncharge$/);
  });

  it('come to another process at once when the one that has them is killed', { timeout: 60_000 }, async () => {
    const path = newFolder();
    const link = await open({ path });
    for (const each of textsFrom(3)) await link.send('payments', text(each));
    const dying = startChild(`filesystem:${path}`);
    await until(() => dying.got.length === 4);
    dying.ack('message 1');
    const active = join(path, 'shop', 'queues', 'payments', 'active');
    await until(() => readdirSync(active).some((id) => readdirSync(join(active, id)).length === 2));
    await dying.kill();
    const living = startChild(`filesystem:${path}`);
    await until(() => living.got.length === 3);
    expect(living.got.filter(({ deliveries }) => deliveries > 0)).toEqual([
      { text: 'message 0', deliveries: 2 },
      { text: 'message 2', deliveries: 2 },
    ]);
    living.ack('message 0');
    living.ack('message 2');
    await until(() => readdirSync(active).every((id) => readdirSync(join(active, id)).length === 0));
    await living.end();
    expect(readdirSync(join(path, 'shop', 'queues', 'payments', 'new'))).toEqual([]);
  });

  it(
    'come to another when the one that has them is stopped for longer than its lease',
    { timeout: 60_000 },
    async () => {
      const path = newFolder();
      const url = `filesystem:${path}?leaseMs=400&pollingIntervalMs=20`;
      const link = await open({ path, leaseMs: 400, pollingIntervalMs: 20 });
      await link.send('payments', text('charge'));
      const stopped = startChild(url);
      await until(() => stopped.got.some((each) => each.text === 'charge'));
      stopped.signal('SIGSTOP');
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 1 }, inbox.take);
      const again = await inbox.next();
      expect(again.deliveries).toBe(2);
      // Its answer is too late: the message is not its own any more.
      stopped.ack('charge');
      stopped.signal('SIGCONT');
      await stopped.end();
      await again.release();
      expect((await inbox.next()).deliveries).toBe(3);
    },
  );

  it('are dead letters when their files are not whole', async () => {
    const path = newFolder();
    const link = await open({ path });
    const inbox = new Inbox();
    const fresh = join(path, 'shop', 'queues', 'payments', 'new');
    mkdirSync(fresh, { recursive: true });
    const head = JSON.stringify({ properties: { type: 'REQUEST' }, bytes: 10 });
    const broken = ['', 'no line', 'null\n', '{"properties":{"type":7},"bytes":0}\n', `${head}\n`, `${head}\nhalf`];
    for (const [index, content] of broken.entries()) writeFileSync(join(fresh, `0000000${index}-a~0`), content);
    writeFileSync(join(fresh, 'README.txt'), 'not a message');
    await link.consume('payments', { prefetch: 1 }, inbox.take);
    await link.send('payments', text('whole'));
    expect(textOf((await inbox.next()).message)).toBe('whole');
    const letters = await link.deadLetters();
    expect(letters.map(({ message }) => textOf(message))).toEqual(broken);
    expect(letters.at(-1)?.reason).toBe('its body takes 10 bytes, got 4');
  });

  it('come past whatever else lies about: folders, pipes, links, and files where folders are', async () => {
    const path = newFolder();
    const at = (...names: string[]) => join(path, 'shop', ...names);
    const fresh = at('queues', 'payments', 'new');
    for (const folder of [fresh, at('queues', 'payments', 'active'), at('dead'), at('links'), at('rooms', 'room')]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, '.DS_Store'), 'none of a message');
      mkdirSync(join(folder, '00-folder~0'));
      execFileSync('mkfifo', [join(folder, '00-pipe~0')]);
      symlinkSync('/dev/zero', join(folder, '00-link~0'));
    }
    for (const name of [`0${'a'.repeat(251)}~9`, `00-a~${'9'.repeat(30)}`]) writeFileSync(join(fresh, name), 'no name');
    const link = await open({ path });
    const [inbox, heard] = [new Inbox(), new Inbox<Message>()];
    const news = newsOf(link);
    await link.consume('payments', { prefetch: 1 }, inbox.take);
    await link.listen('room', heard.take);
    for (const each of textsFrom(2)) await link.send('payments', text(each));
    await link.announce('room', text('here'));
    expect(textOf(await heard.next())).toBe('here');
    await (await inbox.next()).ack();
    await (await inbox.next()).reject('bad');
    expect((await link.deadLetters()).map(({ reason }) => reason)).toEqual(['bad']);
    expect(news).toEqual([]);
  });

  it('are dead letters when they take more than any message, of which only the beginning is kept', async () => {
    const path = newFolder();
    const link = await open({ path });
    const fresh = join(path, 'shop', 'queues', 'payments', 'new');
    mkdirSync(fresh, { recursive: true });
    const huge = join(fresh, '00-huge~0');
    writeFileSync(huge, 'the beginning');
    truncateSync(huge, 3 * 2 ** 30);
    await link.consume('payments', { prefetch: 1 }, new Inbox().take);
    await until(async () => (await link.deadLetters()).length === 1);
    const [letter] = await link.deadLetters();
    expect(letter?.reason).toBe('it takes 3221225472 bytes, more than the 536870912 of a message');
    expect(letter === undefined ? '' : textOf(letter.message)).toMatch(/^the beginning\0+$/);
    expect(readdirSync(fresh)).toEqual([]);
  });

  it('are given again when their answer cannot be noted', async () => {
    const path = newFolder();
    const link = await open({ path, pollingIntervalMs: 20 });
    const inbox = new Inbox();
    await link.consume('payments', { prefetch: 1 }, inbox.take);
    await link.send('payments', text('charge'));
    const dead = join(path, 'shop', 'dead');
    writeFileSync(dead, 'no folder');
    await expect((await inbox.next()).reject('bad')).rejects.toThrow();
    rmSync(dead);
    const again = await inbox.next();
    expect([textOf(again.message), again.deliveries]).toEqual(['charge', 2]);
    await again.reject('bad');
    expect((await link.deadLetters()).map(({ deliveries }) => deliveries)).toEqual([2]);
  });

  it('stay in a mailbox whose time to expire is not written in full', async () => {
    const path = newFolder();
    const link = await open({ path });
    const reader = await link.receive('box', { prefetch: 1, expiryMs: LONG_MS }, new Inbox().take);
    await reader.stop();
    for (const written of ['', 'soon', '-1', '1e-9']) {
      writeFileSync(join(path, 'shop', 'mailboxes', 'box', 'expiry'), written);
      expect([written, await link.post('box', text(written))]).toEqual([written, true]);
    }
    const inbox = new Inbox();
    await link.receive('box', { prefetch: 9, expiryMs: LONG_MS }, acking(inbox));
    await inbox.has(4);
  });

  it('cannot be kept where there can be no folder', async () => {
    const path = join(newFolder(), 'file');
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '');
    await expect(open({ path })).rejects.toThrow(
      new TransportError(`filesystem:${path} cannot be used, after 6 attempts`),
    );
  });
});
