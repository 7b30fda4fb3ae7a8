import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Answerer, Caller, WorkerJob } from './job.js';

/*
 * A round trip over Redis with nothing around it, that loses as little as the transport: a stream with a group each way,
 * and the entry is taken away when its answer is there.
 */

const GROUP = 'raw';
const BLOCK_MS = 1000;
const GONE_AFTER_S = 60;

const streamsOf = ({ name }: WorkerJob) => ({ work: `${name}:work`, replies: `${name}:replies` });

/** Reads a stream until it is stopped. */
function read(client: Redis, key: string, hear: (id: string, fields: string[]) => void) {
  let isStopped = false;
  const loop = async () => {
    while (!isStopped) {
      const args = [GROUP, 'one', 'COUNT', 16, 'BLOCK', BLOCK_MS, 'STREAMS', key, '>'] as const;
      const found = (await client.call('XREADGROUP', 'GROUP', ...args)) as [string, [string, string[]][]][] | null;
      for (const [id, fields] of found?.[0]?.[1] ?? []) hear(id, fields);
    }
  };
  const over = loop().catch((error: unknown) => {
    if (!isStopped) throw error;
  });
  return async () => {
    isStopped = true;
    client.disconnect();
    await over;
  };
}

const newClient = (url: string) => new Redis(url, { protocol: 2 });

async function connect({ url }: WorkerJob, key: string) {
  const [asking, reading] = [newClient(url), newClient(url)];
  await asking.call('XGROUP', 'CREATE', key, GROUP, '0', 'MKSTREAM').catch(() => undefined);
  return { asking, reading };
}

export async function rawRedisCaller(job: WorkerJob): Promise<Caller> {
  const { work, replies } = streamsOf(job);
  const { asking, reading } = await connect(job, replies);
  const waiting = new Map<string, () => void>();
  const remove = (id: string) => asking.multi().xack(replies, GROUP, id).xdel(replies, id).exec();
  const stop = read(reading, replies, (id, [, correlationId = '']) => {
    waiting.get(correlationId)?.();
    waiting.delete(correlationId);
    void remove(id).catch(() => undefined);
  });
  const body = JSON.stringify({ text: 'x'.repeat(500) });
  return {
    async call() {
      const id = randomUUID();
      const answered = new Promise<void>((resolve) => waiting.set(id, resolve));
      await Promise.all([asking.call('XADD', work, '*', 'id', id, 'body', body), answered]);
    },
    async close() {
      await stop();
      // The other side reads still.
      for (const key of [work, replies]) await asking.expire(key, GONE_AFTER_S);
      asking.disconnect();
    },
  };
}

export async function rawRedisAnswerer(job: WorkerJob): Promise<Answerer> {
  const { work, replies } = streamsOf(job);
  const { asking, reading } = await connect(job, work);
  const stop = read(reading, work, (entry, [, id = '', , body = '']) => {
    void asking
      .call('XADD', replies, '*', 'id', id, 'body', body)
      .then(() => asking.multi().xack(work, GROUP, entry).xdel(work, entry).exec())
      .catch(() => undefined);
  });
  return {
    async close() {
      await stop();
      asking.disconnect();
    },
  };
}
