import { Redis } from 'ioredis';
import { until } from '../../src/testing/transport-suite/suite.js';
import { OwnRedis } from './redis.js';
import type { Server, ServerKind } from './server.js';

const NODES = 3;
const SLOTS = 16_384;

/** Three servers of Redis that share their keys out. */
export const redisCluster: ServerKind = {
  name: 'a cluster of Redis',
  hint: 'apt install redis-server',
  find: () => OwnRedisCluster.start(),
};

class OwnRedisCluster implements Server {
  private constructor(private readonly nodes: readonly OwnRedis[]) {}

  static async start(): Promise<OwnRedisCluster | null> {
    const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': 15_000 };
    const started = await Promise.all(Array.from({ length: NODES }, () => OwnRedis.start(null, settings)));
    const nodes = started.filter((node) => node !== null);
    const cluster = new OwnRedisCluster(nodes);
    if (nodes.length === NODES) {
      await join(nodes);
      return cluster;
    }
    await cluster.stop();
    return null;
  }

  get url(): string {
    return this.nodes[0]?.url ?? '';
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}

/** Gives each node its part of the slots, and makes them known to each other. */
async function join(nodes: readonly OwnRedis[]): Promise<void> {
  const clients = nodes.map(({ url }) => new Redis(url));
  const [first] = clients;
  for (const [index, client] of clients.entries()) {
    const [from, to] = [index, index + 1].map((each) => Math.floor((each * SLOTS) / NODES));
    await client.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String((to ?? 0) - 1));
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  }
  for (const { port } of nodes.slice(1)) await first?.call('CLUSTER', 'MEET', '127.0.0.1', String(port));
  for (const client of clients) {
    await until(async () => {
      const info = String(await client.call('CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${NODES}`);
    });
    client.disconnect();
  }
}
