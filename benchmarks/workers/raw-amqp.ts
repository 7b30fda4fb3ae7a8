import { randomUUID } from 'node:crypto';
import { Connection } from 'rabbitmq-client';
import type { Answerer, Caller, WorkerJob } from './job.js';

/*
 * A round trip over RabbitMQ with nothing around it, as durable as that of the transport: a quorum queue one way, a
 * durable queue back, persistent messages, and each confirmed before the one that it answers is acknowledged.
 */

const MAILBOX_EXPIRY_MS = 60_000;

const queueOf = ({ name }: WorkerJob) => ({
  queue: `${name}.work`,
  durable: true,
  arguments: { 'x-queue-type': 'quorum' as const },
});

async function channels({ url }: WorkerJob) {
  const connection = new Connection({ url, noDelay: true });
  const [publishing, consuming] = [await connection.acquire(), await connection.acquire()];
  await publishing.confirmSelect();
  const close = async () => {
    for (const channel of [consuming, publishing]) await channel.close();
    await connection.close();
  };
  return { close, publishing, consuming };
}

export async function rawAmqpCaller(job: WorkerJob): Promise<Caller> {
  const { close, publishing, consuming } = await channels(job);
  const waiting = new Map<string, () => void>();
  const replyTo = `${job.name}.replies`;
  await publishing.queueDeclare(queueOf(job));
  await consuming.queueDeclare({ queue: replyTo, durable: true, arguments: { 'x-expires': MAILBOX_EXPIRY_MS } });
  await consuming.basicConsume({ queue: replyTo }, ({ correlationId = '', deliveryTag }) => {
    waiting.get(correlationId)?.();
    waiting.delete(correlationId);
    consuming.basicAck({ deliveryTag });
  });
  const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(500) }));
  return {
    async call() {
      const correlationId = randomUUID();
      const answered = new Promise<void>((resolve) => waiting.set(correlationId, resolve));
      const sent = publishing.basicPublish(
        { routingKey: `${job.name}.work`, durable: true, mandatory: true, replyTo, correlationId },
        body,
      );
      await Promise.all([sent, answered]);
    },
    async close() {
      for (const queue of [`${job.name}.work`, replyTo]) await publishing.queueDelete(queue);
      await close();
    },
  };
}

export async function rawAmqpAnswerer(job: WorkerJob): Promise<Answerer> {
  const { close, publishing, consuming } = await channels(job);
  await consuming.queueDeclare(queueOf(job));
  await consuming.basicQos({ prefetchCount: 16 });
  await consuming.basicConsume(
    { queue: `${job.name}.work` },
    ({ replyTo = '', correlationId = '', deliveryTag, body }) => {
      void publishing
        .basicPublish({ routingKey: replyTo, durable: true, mandatory: true, correlationId }, body as Buffer)
        .then(() => consuming.basicAck({ deliveryTag }));
    },
  );
  return { close };
}
