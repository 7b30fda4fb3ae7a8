import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Stands between a client and a server. */
export interface CuttableProxy {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** Breaks all connections that there are. Later ones are let through. */
  cut(): void;
  /** Lets what clients say go to the server, and breaks the connection instead of handing on what it answers. */
  cutBeforeNextAnswer(): void;
  /** Breaks the connection instead of handing on what a client says next. */
  cutBeforeNextRequest(): void;
  close(): Promise<void>;
}

export async function cuttableProxy(server: string): Promise<CuttableProxy> {
  const [hostname, port] = server.split(':');
  const sockets = new Set<Socket>();
  let breaking: 'request' | 'answer' | null = null;
  const cut = () => {
    breaking = null;
    for (const socket of sockets) socket.destroy();
  };
  const pass = (from: Socket, to: Socket, what: 'request' | 'answer') => {
    sockets.add(from);
    from.on('data', (data) => {
      if (breaking === what) cut();
      else to.write(data);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const proxy = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    pass(client, upstream, 'request');
    pass(upstream, client, 'answer');
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    host: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut,
    cutBeforeNextAnswer: () => (breaking = 'answer'),
    cutBeforeNextRequest: () => (breaking = 'request'),
    close: async () => {
      cut();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
