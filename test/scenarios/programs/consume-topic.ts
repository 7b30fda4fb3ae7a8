/** Consumes a topic in a process of its own: says what it got, one line each, and answers those that it is told to. */
import { createInterface } from 'node:readline';
import { transport } from '../../../src/workers/transport-registry.js';
import type { Delivery } from '../../../src/workers/transport.js';

const [url = '', exchange = '', topic = ''] = process.argv.slice(2);
const link = await (await transport({ url, exchange })).open();
const deliveries = new Map<string, Delivery>();
await link.consume(topic, { prefetch: 10 }, (delivery) => {
  const text = Buffer.from(delivery.message.body).toString();
  deliveries.set(text, delivery);
  process.stdout.write(`${JSON.stringify({ text, deliveries: delivery.deliveries })}\n`);
});
process.stdout.write(`${JSON.stringify({ text: 'ready', deliveries: 0 })}\n`);
for await (const line of createInterface({ input: process.stdin })) await deliveries.get(line)?.ack();
await link.close();
