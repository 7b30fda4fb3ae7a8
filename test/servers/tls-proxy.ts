import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';

/** Speaks TLS with its clients, and hands on what they say to a server that does not. */
export class TlsProxy {
  /** The names that clients asked for, null for none; one for each connection. */
  readonly names: (string | null)[] = [];
  readonly port: number;
  readonly #close: () => void;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, close: () => void) {
    this.port = port;
    this.#close = close;
  }

  static async to(port: number, options: TlsOptions): Promise<TlsProxy> {
    const server = createServer(options).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new TlsProxy((server.address() as AddressInfo).port, () => void server.close());
    server.on('tlsClientError', () => undefined);
    server.on('secureConnection', (client) => {
      const { servername } = client as { readonly servername?: string | false };
      proxy.names.push(typeof servername === 'string' ? servername : null);
      proxy.#join(client, connect({ port, host: '127.0.0.1' }));
    });
    return proxy;
  }

  close(): void {
    this.#close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, server: Socket): void {
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
      socket.pipe(other);
    }
  }
}
