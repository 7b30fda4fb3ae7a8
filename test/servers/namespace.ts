import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Server, ServerKind } from './server.js';

let used = 0;

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });

/** Another host: a network of its own, joined with this one by a line that can be cut and healed. */
export class OtherHost implements Server {
  readonly name: string;
  readonly #line: string;
  readonly #address: string;

  /** @throws where there is no program for it, or no permission. */
  constructor() {
    const number = (process.pid * 7 + (used += 1)) % 200;
    this.name = `flowstate_test_${process.pid}_${used}`;
    this.#line = `fst${process.pid % 10_000}_${used}`;
    this.#address = `10.213.${number}`;
    ip('netns', 'add', this.name);
    try {
      ip('link', 'add', this.#line, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name);
      ip('addr', 'add', `${this.#address}.1/24`, 'dev', this.#line);
      ip('link', 'set', this.#line, 'up');
      ip('-n', this.name, 'addr', 'add', `${this.#address}.2/24`, 'dev', 'eth0');
      ip('-n', this.name, 'link', 'set', 'eth0', 'up');
      ip('-n', this.name, 'link', 'set', 'lo', 'up');
    } catch (error) {
      ip('netns', 'del', this.name);
      throw error;
    }
  }

  /** What begins the command line of a program there. */
  get command(): readonly [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.name];
  }

  get url(): string {
    return `${this.#address}.1`;
  }

  cut(): void {
    ip('link', 'set', this.#line, 'down');
  }

  heal(): void {
    ip('link', 'set', this.#line, 'up');
  }

  /** Lets a port of this host be reached from there. @returns the port to be asked for, and what ends it. */
  async forward(port: number): Promise<{ readonly port: number; close(): void }> {
    const server = createServer((client) => {
      const there = connect({ port, host: '127.0.0.1' });
      for (const socket of [client, there]) socket.on('error', () => undefined);
      client.pipe(there).pipe(client);
      client.on('close', () => there.destroy());
      there.on('close', () => client.destroy());
    }).listen(0, this.url);
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
  }

  async stop(): Promise<void> {
    ip('netns', 'del', this.name);
    return Promise.resolve();
  }
}

/** Whether other hosts can be made here. */
export const networkNamespaces: ServerKind = {
  name: 'network namespaces',
  hint: 'apt install iproute2, and run the tests as root',
  find: () => {
    try {
      return Promise.resolve(new OtherHost());
    } catch {
      return Promise.resolve(null);
    }
  },
};
