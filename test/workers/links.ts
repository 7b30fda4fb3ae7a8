import { afterEach } from 'vitest';
import { newName } from '../../src/testing/transport-suite/suite.js';
import type { Link } from '../../src/workers/transport.js';
import { transport } from '../../src/workers/transport-registry.js';
import type { TransportOptions } from '../../src/workers/transport-registry.js';

/** Soon, and not for long: brokers of tests are near. */
export const SOON = { intervalStartMs: 40, intervalStepMs: 10, intervalMaxMs: 60, maxRetries: 8 } as const;

export interface TestLinks {
  /** Of the test that runs. */
  readonly exchange: string;
  /** Another link, which is closed after the test. */
  open(more?: TransportOptions): Promise<Link>;
  /** One that was opened in another way is closed after the test too. */
  add(link: Link): Link;
}

/**
 * The links of each test of a file, to an exchange of its own, which is removed after it.
 *
 * @param place - With an exchange, which all tests share, and nobody removes.
 */
export function testLinks(place: TransportOptions): TestLinks {
  const links: Link[] = [];
  const nextExchange = () => place.exchange ?? newName('links');
  let exchange = nextExchange();
  const open = async (more: TransportOptions = {}) =>
    (await transport({ retryOptions: SOON, exchange, ...place, ...more })).open();
  afterEach(async () => {
    // First, as whoever still reads makes again what is removed.
    for (const link of links.splice(0)) await link.close();
    if (place.exchange !== undefined) return;
    const last = await open();
    await last.removeAll();
    await last.close();
    exchange = nextExchange();
  });
  const add = (link: Link) => {
    links.push(link);
    return link;
  };
  return {
    get exchange() {
      return exchange;
    },
    add,
    open: async (more) => add(await open(more)),
  };
}

/** What a link says of its connection from now on. */
export function newsOf(link: Link): readonly boolean[] {
  const news: boolean[] = [];
  link.onConnection((isConnected) => news.push(isConnected));
  return news;
}
