import { systemEnvironment } from '../../../environment.js';
import type { Environment } from '../../../environment.js';
import type { Link, Message } from '../../transport.js';
import { Exchange } from './exchange.js';
import { Faults } from './faults.js';
import type { FaultRule, Passage } from './faults.js';

/** What a broker knows of a link. */
export interface LinkEnd {
  /** The connection is gone. @param isForGood - It does not come back: its process is dead. */
  cut(cause: Error, isForGood: boolean): void;
}

/** Something was asked of a broker over a connection that is gone. */
export class ConnectionCut extends Error {
  override readonly name = 'ConnectionCut';
}

/**
 * A broker in the memory of one process, for tests and for trying things out: nothing in it outlives the process.
 *
 * It can be told to go wrong in the ways in which brokers, connections and consumers do.
 */
export class MemoryBroker {
  readonly environment: Environment;
  readonly #exchanges = new Map<string, Exchange>();
  readonly #links = new Map<Link, LinkEnd>();
  readonly #faults: Faults;
  #isUp = true;

  constructor({ environment = systemEnvironment }: { readonly environment?: Environment | undefined } = {}) {
    this.environment = environment;
    this.#faults = new Faults(environment.clock);
  }

  /** Whether it can be reached. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** How many links are open, those that try to connect again included. */
  get links(): number {
    return this.#links.size;
  }

  /** Whether nobody uses it, and it holds nothing that would be missed. */
  get isIdle(): boolean {
    return this.#links.size === 0 && [...this.#exchanges.values()].every((exchange) => exchange.isEmpty);
  }

  /**
   * Decides on what becomes of messages and answers; the first rule that gives a fate is followed.
   *
   * @returns what takes the rule away.
   */
  intercept(rule: FaultRule): () => void {
    return this.#faults.add(rule);
  }

  /** Cuts the connection of a link, or of all links. They connect again by themselves. */
  cut(link?: Link): void {
    for (const end of this.#ends(link)) end.cut(new ConnectionCut('the connection was cut'), false);
  }

  /** A link ends as if its process was killed: without another word, and for good. */
  crash(link: Link): void {
    for (const end of this.#ends(link)) end.cut(new ConnectionCut('the process of the link has ended'), true);
    this.#links.delete(link);
  }

  /** Nobody reaches it until `start`. It keeps what it has. */
  stop(): void {
    this.#isUp = false;
    for (const end of this.#ends()) end.cut(new ConnectionCut('the broker was stopped'), false);
  }

  start(): void {
    this.#isUp = true;
  }

  /** For links. */
  admit(link: Link, end: LinkEnd): void {
    this.#links.set(link, end);
  }

  /** For links. */
  dismiss(link: Link): void {
    this.#links.delete(link);
  }

  /** For links. */
  exchange(name: string): Exchange {
    const exchange = this.#exchanges.get(name) ?? new Exchange(this.environment);
    this.#exchanges.set(name, exchange);
    return exchange;
  }

  /** For links. @returns what the broker says to it. @throws {ConnectionCut} */
  pass(link: Link, passage: Passage, arrive: (message: Message) => boolean): boolean {
    return this.#faults.pass(passage, arrive, () => {
      this.cut(link);
      throw new ConnectionCut(`the connection was cut by a fault, at ${passage.kind}`);
    });
  }

  #ends(link?: Link): readonly LinkEnd[] {
    if (link === undefined) return [...this.#links.values()];
    const end = this.#links.get(link);
    return end === undefined ? [] : [end];
  }
}
