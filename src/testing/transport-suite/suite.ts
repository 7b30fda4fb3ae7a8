import { systemEnvironment } from '../../environment.js';
import type { Delivery, Link, Message, Transport } from '../../workers/transport.js';
import type { TestRunner } from '../backend-suite/suite.js';
import { same } from '../checks.js';

export interface TransportSuiteOptions extends TestRunner {
  /** Names the transport in the names of the tests. */
  readonly name: string;
  /**
   * Gives a transport as another process would make it. The suite removes what it made in an exchange, and closes what
   * it opened.
   *
   * @param exchange - Of a name that nobody else uses, which begins with `flowstate_test_`.
   */
  readonly transport: (exchange: string) => Transport | Promise<Transport>;
  /** Cuts all connections, as an outage would. They connect again by themselves. @default not tested */
  readonly interrupt?: (() => unknown) | undefined;
  /**
   * Whether a consumer whose connection was cut keeps what it had, and may answer when it is back.
   * @default false
   */
  readonly keepsOverCuts?: boolean | undefined;
  /** Lets nobody reach the broker, and lets them again. @default not tested */
  readonly outage?: { readonly begin: () => unknown; readonly end: () => unknown } | undefined;
  /** What an exchange still has at the broker. It has to be nothing after each test. @default not tested */
  readonly leftovers?: ((exchange: string) => Promise<readonly string[]>) | undefined;
}

/** The links of one test. */
export interface Links {
  readonly exchange: string;
  /** Another link to the exchange of the test. */
  readonly open: () => Promise<Link>;
  /** A link to another exchange. */
  readonly openOther: () => Promise<Link>;
}

/** What the parts of the suite are written with. */
export interface Suite extends Pick<TransportSuiteOptions, 'describe' | 'interrupt' | 'keepsOverCuts' | 'outage'> {
  /** A test that is given links, which are closed after it. */
  readonly test: (name: string, body: (links: Links) => Promise<void>) => void;
}

export function suiteOf(options: TransportSuiteOptions): Suite {
  const { describe, it, transport, interrupt, keepsOverCuts, outage, leftovers } = options;
  return {
    describe,
    interrupt,
    keepsOverCuts,
    outage,
    test(name, body) {
      it(name, async () => {
        const exchange = newName('exchange');
        const other = newName('other');
        const opened: { readonly link: Link; readonly isClosed: () => boolean }[] = [];
        const openAt = async (at: string) => {
          const link = await (await transport(at)).open();
          let isClosed = false;
          const close = link.close.bind(link);
          link.close = async () => {
            isClosed = true;
            await close();
          };
          opened.push({ link, isClosed: () => isClosed });
          return link;
        };
        try {
          await body({ exchange, open: () => openAt(exchange), openOther: () => openAt(other) });
        } finally {
          for (const { link, isClosed } of opened) if (!isClosed()) await link.removeAll();
          for (const { link } of opened) await link.close();
          for (const at of [exchange, other]) await removeAt(await transport(at));
        }
        if (leftovers !== undefined) {
          for (const at of [exchange, other]) await until(async () => (await leftovers(at)).length === 0);
          same(await leftovers(exchange), []);
        }
      });
    },
  };
}

async function removeAt(transport: Transport): Promise<void> {
  const link = await transport.open();
  await link.removeAll();
  await link.close();
}

export const newName = (what: string) => `flowstate_test_${what}_${systemEnvironment.newId()}`;

/** As long as anybody may take. */
export const LONG_MS = 60_000;
const POLL_MS = 5;

/** Resolves when a condition holds. That it takes too long is for the runner to say. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise<void>((resolve) => systemEnvironment.clock.setTimer(POLL_MS, resolve));
  }
}

/** What came to a consumer. */
export class Inbox<Item = Delivery> {
  readonly items: Item[] = [];
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  /** The handler to consume with. */
  readonly take = (item: Item): void => {
    this.items.push(item);
    for (const resolve of this.#waiting.splice(0)) resolve();
  };

  /** The next one that nobody asked for yet. */
  async next(): Promise<Item> {
    const index = this.#taken++;
    await this.has(index + 1);
    const item = this.items[index];
    if (item === undefined) throw new Error('there is none');
    return item;
  }

  /** Resolves when so many have come. */
  async has(count: number): Promise<void> {
    while (this.items.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

export const text = (content: string): Message => ({ properties: { type: 'TEXT' }, body: Buffer.from(content) });
export const textOf = ({ body }: Message): string => Buffer.from(body).toString();
export const textsOf = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ message }) => textOf(message));

/** Texts that tell each other apart. */
export const textsFrom = (count: number): string[] => Array.from({ length: count }, (_, index) => `message ${index}`);

/** A consumer that keeps what it gets, and says at once that it is dealt with. */
export function acking(inbox: Inbox): (delivery: Delivery) => void {
  return (delivery) => {
    void delivery.ack();
    inbox.take(delivery);
  };
}
