import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** When connections are cut: with what goes to the server, before it gets there, or with what comes back. */
export type Cut = 'request' | 'answer';

/** Stands between a client and a server, and can cut the wire. */
export class Proxy {
  readonly port: number;
  readonly #close: () => void;
  readonly #sockets = new Set<Socket>();
  #cut: { readonly at: Cut; readonly containing: string } | null = null;
  #refuses = false;
  /** How often the wire was cut. */
  cuts = 0;

  private constructor(port: number, close: () => void) {
    this.port = port;
    this.#close = close;
  }

  static async to(port: number): Promise<Proxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new Proxy((server.address() as AddressInfo).port, () => void server.close());
    server.on('connection', (client) => proxy.#accept(client, port));
    return proxy;
  }

  /** Cuts all connections, once, when the next request with this text is sent, or when it is answered. */
  cutAt(at: Cut, containing: string): void {
    this.#cut = { at, containing };
  }

  /** Cuts all connections now. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.cuts += 1;
  }

  /** Lets nobody in, as a server that is down, until it is called with false. */
  refuse(refuses = true): void {
    this.#refuses = refuses;
    if (refuses) this.cutAll();
  }

  /** Carries nothing and cuts nothing, as a line that is dead does, until it is called with false. */
  stall(stalls = true): void {
    for (const socket of this.#sockets) {
      if (stalls) socket.pause();
      else socket.resume();
    }
  }

  close(): void {
    this.#close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(client: Socket, port: number): void {
    if (this.#refuses) {
      client.destroy();
      return;
    }
    const server = connect({ port, host: '127.0.0.1' });
    let isAsked = false;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (data) => {
      const cut = this.#cut;
      if (cut !== null && data.includes(cut.containing)) {
        if (cut.at === 'request') {
          this.#cutNow();
          return;
        }
        isAsked = true;
      }
      server.write(data);
    });
    server.on('data', (data) => {
      if (isAsked) this.#cutNow();
      else client.write(data);
    });
  }

  #cutNow(): void {
    this.#cut = null;
    this.cutAll();
  }
}
