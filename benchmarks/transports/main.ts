/**
 * Round trips over transports: send, consume, post, receive, one after the other.
 *
 * npm run bench:transports -- [URL...]
 *
 * Without URLs: memory, the servers at the standard local ports, and a temporary folder. Ctrl-C ends it, and leaves
 * nothing at the servers.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { transport } from 'flowstate';
import type { TransportLink } from 'flowstate';

const TRIPS = 1000;
const WARM_UP = 100;
const STANDARD = ['memory://bench', 'redis://127.0.0.1:6379', 'amqp://guest:guest@127.0.0.1:5672'];

const interruption = new AbortController();
process.on('SIGINT', () => interruption.abort());

async function measure(url: string): Promise<void> {
  const made = await transport({ url, exchange: `flowstate_test_bench_${randomUUID()}` });
  const [client, server] = [await made.open(), await made.open()];
  try {
    const times = await tripsBetween(client, server);
    const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
    console.log(`${made.name}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, ${times.length} round trips`);
  } finally {
    // Who still consumes would make a queue anew.
    await server.close();
    await client.removeAll();
    await client.close();
  }
}

/** @returns how long each took, in milliseconds, sorted; those up to an interruption. */
async function tripsBetween(client: TransportLink, server: TransportLink): Promise<number[]> {
  let arrive = () => {};
  let answered = Promise.resolve();
  await client.receive('box', { prefetch: 10, expiryMs: 60_000 }, (delivery) => {
    void delivery.ack();
    arrive();
  });
  await server.consume('topic', { prefetch: 1 }, (delivery) => {
    answered = server.post('box', delivery.message).then(() => delivery.ack());
  });
  const message = { properties: { type: 'TRIP' }, body: Buffer.from('x') };
  const times: number[] = [];
  for (let trip = 0; trip < WARM_UP + TRIPS && !interruption.signal.aborted; trip++) {
    const began = performance.now();
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    await client.send('topic', message);
    await arrived;
    if (trip >= WARM_UP) times.push(performance.now() - began);
  }
  await answered;
  return times.sort((left, right) => left - right);
}

const given = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'flowstate-bench-'));
const load = () => loadavg()[0]?.toFixed(1);
console.log(`load before: ${load()}`);
for (const url of given.length > 0 ? given : [...STANDARD, `filesystem:${folder}`]) {
  if (!interruption.signal.aborted) await measure(url);
}
console.log(`load after: ${load()}`);
rmSync(folder, { recursive: true });
