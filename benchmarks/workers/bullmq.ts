import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Answerer, Caller, WorkerJob } from './job.js';

const MOST_UNDER_WAY = 64;

const connectionOf = ({ url }: WorkerJob) => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) || 6379, maxRetriesPerRequest: null };
};

/** BullMQ as its documentation uses it: a queue, its events, and the result of each job awaited. */
export async function bullmqCaller(job: WorkerJob): Promise<Caller> {
  const connection = connectionOf(job);
  const queue = new Queue(job.name, { connection });
  const events = new QueueEvents(job.name, { connection });
  await events.waitUntilReady();
  // Each job under way adds one.
  for (const each of [queue, events]) each.setMaxListeners(MOST_UNDER_WAY);
  return {
    async call(index) {
      const added = await queue.add('echo', { value: index });
      const result: unknown = await added.waitUntilFinished(events);
      if (result !== index) throw new Error(`BullMQ gave ${String(result)} instead of ${index}`);
    },
    async close() {
      await queue.obliterate({ force: true });
      await events.close();
      await queue.close();
    },
  };
}

export async function bullmqAnswerer(job: WorkerJob): Promise<Answerer> {
  const work = async ({ data }: { data: { value: number } }) => data.value;
  const worker = new Worker(job.name, work, { connection: connectionOf(job), concurrency: 16 });
  await worker.waitUntilReady();
  return { close: () => worker.close() };
}

/** Removes what a run has left that did not come to its end. */
export async function removeBullmq({ url, name }: WorkerJob): Promise<void> {
  const client = new Redis(url);
  for await (const keys of client.scanStream({ match: `bull:${name}:*`, count: 1000 })) {
    if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]));
  }
  await client.quit();
}
