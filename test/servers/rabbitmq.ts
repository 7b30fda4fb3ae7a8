import { answers } from './processes.js';
import type { Server, ServerKind } from './server.js';

const STANDARD_PORT = 5672;

/** RabbitMQ: a broker on which the tests use only queues and exchanges of their own. It is too large to start one. */
export const rabbitmq: ServerKind = {
  name: 'rabbitmq',
  hint: 'apt install rabbitmq-server and start it, or set FLOWSTATE_TEST_AMQP_URL',
  find,
};

async function find(): Promise<Server | null> {
  const given = process.env['FLOWSTATE_TEST_AMQP_URL'];
  if (given !== undefined) return { url: given, stop: async () => undefined };
  if (!(await answers(STANDARD_PORT))) return null;
  return { url: `amqp://guest:guest@127.0.0.1:${STANDARD_PORT}`, stop: async () => undefined };
}
