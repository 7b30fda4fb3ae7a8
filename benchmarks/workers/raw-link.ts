import { randomUUID } from 'node:crypto';
import { transport } from 'flowstate';
import type { Answerer, Caller, WorkerJob } from './job.js';

/* A round trip over a transport, without engine, worker and protocol: where no driver is below the transport. */

const MAILBOX = { prefetch: 1000, expiryMs: 60_000 } as const;
const open = async ({ url, name }: WorkerJob) => (await transport({ url, exchange: name })).open();

export async function rawLinkCaller(job: WorkerJob): Promise<Caller> {
  const link = await open(job);
  const waiting = new Map<string, () => void>();
  await link.receive('replies', MAILBOX, ({ message: { properties }, ack }) => {
    const { correlationId = '' } = properties;
    waiting.get(correlationId)?.();
    waiting.delete(correlationId);
    void ack();
  });
  const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(500) }));
  return {
    async call() {
      const correlationId = randomUUID();
      const answered = new Promise<void>((resolve) => waiting.set(correlationId, resolve));
      const properties = { type: 'CALL', replyTo: 'replies', correlationId };
      await Promise.all([link.send('work', { properties, body }), answered]);
    },
    async close() {
      await link.removeAll();
      await link.close();
    },
  };
}

export async function rawLinkAnswerer(job: WorkerJob): Promise<Answerer> {
  const link = await open(job);
  await link.consume('work', { prefetch: 16 }, ({ message: { properties, body }, ack }) => {
    const { correlationId, replyTo = '' } = properties;
    void link.post(replyTo, { properties: { type: 'ANSWER', correlationId }, body }).then(() => ack());
  });
  return { close: () => link.close() };
}
