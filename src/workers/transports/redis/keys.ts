import { plainName } from '../../../safe-name.js';
import type { DeadLetter } from '../../transport.js';

/** Of those who take from a stream there is one group. */
export const GROUP = 'consumers';

/** What an exchange has at a server. All of it is in one slot of a cluster, which the part in braces decides. */
export class Keys {
  readonly prefix: string;
  readonly dead: string;
  /** Most that is sent goes where the message before it went. */
  private last = { kind: '', name: '', key: '' };

  constructor(exchange: string) {
    this.prefix = `flowstate:{${plainName(exchange)}}:`;
    this.dead = `${this.prefix}dead`;
  }

  stream(kind: DeadLetter['kind'], name: string): string {
    const { last } = this;
    if (last.kind === kind && last.name === name) return last.key;
    const key = `${this.prefix}${kind}:${plainName(name)}`;
    this.last = { kind, name, key };
    return key;
  }

  room(name: string): string {
    return `${this.prefix}room:${plainName(name)}`;
  }

  /** Finds all keys: the names have no character that means something in a pattern. */
  get pattern(): string {
    return `${this.prefix}*`;
  }
}
