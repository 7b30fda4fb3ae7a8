import { isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import { InvalidFormatError } from '../../errors.js';
import type { Message } from '../transport.js';
import type { Body, BodyType, Envelope, SCHEMAS } from './messages.js';
import { isSurely } from './quick-check.js';
import type { Signing } from './signing.js';

/** Names of the places of one exchange, as signatures know them. */
export const PLACES = {
  queue: (topic: string) => `queue:${topic}`,
  mailbox: (name: string) => `mailbox:${name}`,
  room: (name: string) => `room:${name}`,
} as const;

/** The room in which workers say who they are. */
export const ENGINES_ROOM = 'engines';
/** The room in which engines ask. */
export const WORKERS_ROOM = 'workers';

/** The mailbox of a run. A resumed run has the same. */
export const runMailbox = (runId: string): string => `engine-${runId}`;
export const workerMailbox = (workerId: string): string => `worker-${workerId}`;

export const DEFAULT_MAX_MESSAGE_BYTES = 10 * 1024 * 1024;

/** A message is larger than it may be. */
export class OversizedMessageError extends InvalidFormatError {
  override readonly name: string = 'OversizedMessageError';
}

type Schemas = typeof SCHEMAS;

/** The forms of messages. They take as long to be imported as a driver, and most messages are understood without. */
export async function loadSchemas(): Promise<Schemas> {
  return (await import('./messages.js')).SCHEMAS;
}

export interface MessageCodecOptions {
  readonly signing: Signing | null;
  readonly maxMessageBytes: number;
  readonly schemas?: Schemas;
  /** Gets them when they are needed. Without either it only writes. */
  readonly load?: () => Promise<Schemas>;
}

/** What goes with a message beside its body. */
export interface Addressing {
  /** Where it is sent, by `PLACES`. */
  readonly place: string;
  readonly replyTo?: string | undefined;
  readonly correlationId?: string | undefined;
}

interface LastRead {
  readonly body: Uint8Array;
  readonly value: unknown;
  /** What it surely has the form of. */
  sureType: BodyType | null;
}

/** Writes and reads messages. What it reads is checked in full: size, signature, form. */
export class MessageCodec {
  #schemas: Schemas | null;
  /** What waits for the schemas, and for what came before it; null while nothing does. */
  #waiting: (() => void)[] | null = null;
  /** What was read last. */
  #last: LastRead | null = null;

  constructor(private readonly options: MessageCodecOptions) {
    this.#schemas = options.schemas ?? null;
  }

  /**
   * Calls when `read` can read a message: at once, if it is a common one or the schemas are there. What comes later waits
   * for what came before.
   */
  soon({ properties, body }: Message, types: readonly BodyType[], call: () => void): void {
    if (this.#waiting !== null) this.#waiting.push(call);
    else if (this.#schemas !== null || this.#isSure(typeIn(properties, types), body)) call();
    else {
      this.#waiting = [call];
      void this.#load();
    }
  }

  async #load(): Promise<void> {
    try {
      this.#schemas = (await this.options.load?.()) ?? null;
    } catch {
      // Whoever reads without them is told.
    }
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const call of waiting) call();
  }

  /** Of what cannot be read at all it is sure, too. */
  #isSure(type: BodyType | undefined, body: Uint8Array): boolean {
    if (type === undefined || body.byteLength > this.options.maxMessageBytes) return true;
    try {
      const last = this.#read(body);
      if (!isSurely(type, last.value)) return false;
      last.sureType = type;
      return true;
    } catch {
      return true;
    }
  }

  #read(body: Uint8Array): LastRead {
    if (this.#last?.body !== body) this.#last = { body, value: jsonIn(body), sureType: null };
    return this.#last;
  }

  /** @throws {OversizedMessageError} for a body that is larger than `maxMessageBytes`. */
  write<Type extends BodyType>(type: Type, body: Body<Type>, { place, replyTo, correlationId }: Addressing): Message {
    const bytes = Buffer.from(JSON.stringify(body));
    this.#checkSize(bytes);
    const properties = { type: wireTypeOf(type), replyTo, correlationId };
    const { signing } = this.options;
    if (signing === null) return { properties, body: bytes };
    return { properties: { ...properties, headers: signing.headersFor(place, properties, bytes) }, body: bytes };
  }

  /**
   * @param types - What may come at this place.
   * @throws {InvalidFormatError} saying what is wrong; it quotes little of the message.
   */
  read<Type extends BodyType>(
    message: Message,
    place: string,
    types: readonly Type[],
  ): Extract<Envelope, { type: Type }> {
    const { properties, body } = message;
    const type = typeIn(properties, types);
    if (type === undefined) {
      const takes = types.map(wireTypeOf).join(' or ');
      throw new InvalidFormatError(`A message takes the type ${takes} here, got ${excerpt(properties.type)}`);
    }
    this.#checkSize(body);
    this.options.signing?.check(place, properties, body);
    const { value: given, sureType } = this.#read(body);
    // Whoever gets it may change it.
    this.#last = null;
    if (sureType === type || isSurely(type, given)) {
      return { type, body: given, replyTo: properties.replyTo } as Extract<Envelope, { type: Type }>;
    }
    if (this.#schemas === null) throw new TypeError('A codec without schemas reads common messages only');
    const parsed: z.ZodSafeParseResult<unknown> = this.#schemas[type].safeParse(given);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const where = issue === undefined ? '' : ` at $.${issue.path.map(String).join('.').slice(0, 100)}`;
      throw new InvalidFormatError(`The body of ${type} does not have its form${where}: ${issue?.message ?? ''}`);
    }
    return { type, body: parsed.data, replyTo: properties.replyTo } as Extract<Envelope, { type: Type }>;
  }

  #checkSize({ byteLength }: Uint8Array): void {
    const { maxMessageBytes } = this.options;
    if (byteLength > maxMessageBytes) {
      throw new OversizedMessageError(
        `it takes ${byteLength} bytes, more than the ${maxMessageBytes} of maxMessageBytes`,
      );
    }
  }
}

function typeIn<Type extends BodyType>({ type }: Message['properties'], types: readonly Type[]): Type | undefined {
  return types.find((each) => wireTypeOf(each) === type);
}

/** What a message is called on the way: both forms of NOTIFY have one name, as in TaskFlow. */
export function wireTypeOf(type: BodyType): string {
  return type === 'ASK' ? 'NOTIFY' : type;
}

function jsonIn(body: Uint8Array): unknown {
  try {
    if (!isUtf8(body)) throw new TypeError('it is no UTF-8');
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  } catch {
    throw new InvalidFormatError('The body of a message takes JSON in UTF-8');
  }
}

function excerpt(text: unknown): string {
  return typeof text === 'string' ? JSON.stringify(text.slice(0, 40)) : typeof text;
}
