import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers, freePort, newFolder, removeFolder, ServerProcess } from './processes.js';
import type { Server, ServerKind, TlsFiles } from './server.js';

const STANDARD_PORT = 5672;
/** It takes ten seconds where nothing else is done. */
const START_TIMEOUT_MS = 90_000;

/** RabbitMQ: a broker on which the tests use only queues and exchanges of their own. One of the tests' own takes long to start. */
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

/** As packages install it. What is in the folders of programs runs as another user. */
const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** Settings that the broker of the tests cannot be given: it looks for consumers that take too long, often. */
const IMPATIENT = ', {consumer_timeout, 1500}, {channel_tick_interval, 500}';

const SETTINGS = (port: number, tls: TlsFiles | null) =>
  `[{rabbit, [${listenersOf(port, tls)}${tls === null ? IMPATIENT : ''}]}].`;

function listenersOf(port: number, tls: TlsFiles | null): string {
  if (tls === null) return `{tcp_listeners, [{"127.0.0.1", ${port}}]}`;
  const { keyFile, certFile } = tls;
  const files = `{cacertfile, "${certFile}"}, {certfile, "${certFile}"}, {keyfile, "${keyFile}"}`;
  return `{tcp_listeners, []}, {ssl_listeners, [{"127.0.0.1", ${port}}]}, {ssl_options, [${files}]}`;
}

/** A broker of the tests' own, which can be stopped. */
export class OwnRabbitmq implements Server {
  readonly #folder: string;
  readonly #ports: readonly [number, number];
  readonly #scheme: 'amqp' | 'amqps';
  #process: ServerProcess;

  private constructor(
    folder: string,
    ports: readonly [number, number],
    scheme: 'amqp' | 'amqps',
    process: ServerProcess,
  ) {
    this.#folder = folder;
    this.#ports = ports;
    this.#scheme = scheme;
    this.#process = process;
  }

  /** @returns null where there is no program of it. */
  static async start(tls: TlsFiles | null = null): Promise<OwnRabbitmq | null> {
    if (!existsSync(PROGRAM)) return null;
    const folder = newFolder('rabbitmq');
    const ports = [await freePort(), await freePort()] as const;
    writeFileSync(join(folder, 'advanced.config'), SETTINGS(ports[0], tls));
    writeFileSync(join(folder, 'enabled_plugins'), '[].');
    const process = await launchRabbitmq(folder, ports);
    if (process !== null) return new OwnRabbitmq(folder, ports, tls === null ? 'amqp' : 'amqps', process);
    removeFolder(folder);
    return null;
  }

  get url(): string {
    return `${this.#scheme}://guest:guest@127.0.0.1:${this.#ports[0]}`;
  }

  /** @param signal - SIGTERM: in order. After SIGKILL, quorum queues that were made a moment before have no leader (3.10). */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    // What was started is a script, which waits for the broker.
    process.kill(Number(readFileSync(join(this.#folder, 'pid'), 'utf8')), signal);
    await this.#process.ended();
  }

  async restart(): Promise<void> {
    const process = await launchRabbitmq(this.#folder, this.#ports);
    if (process === null) throw new Error('RabbitMQ did not start again');
    this.#process = process;
  }

  async stop(): Promise<void> {
    await this.end('SIGKILL');
    removeFolder(this.#folder);
  }
}

function launchRabbitmq(folder: string, [port, distributionPort]: readonly [number, number]) {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    RABBITMQ_NODENAME: `flowstate_test_${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_CONFIG_FILE: join(folder, 'none'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
  return ServerProcess.start(PROGRAM, [], port, env, START_TIMEOUT_MS);
}
