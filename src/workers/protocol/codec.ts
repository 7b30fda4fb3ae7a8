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

/** The forms of messages. They take a while to be imported, and only those need them who read messages. */
export async function loadSchemas(): Promise<Schemas> {
  return (await import('./messages.js')).SCHEMAS;
}

export interface MessageCodecOptions {
  readonly signing: Signing | null;
  readonly maxMessageBytes: number;
  /** Absent: it only writes. */
  readonly schemas?: Schemas;
}

/** What goes with a message beside its body. */
export interface Addressing {
  /** Where it is sent, by `PLACES`. */
  readonly place: string;
  readonly replyTo?: string | undefined;
  readonly correlationId?: string | undefined;
}

/** Writes and reads messages. What it reads is checked in full: size, signature, form. */
export class MessageCodec {
  constructor(private readonly options: MessageCodecOptions) {}

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
    const type = types.find((each) => wireTypeOf(each) === properties.type);
    if (type === undefined) {
      const takes = types.map(wireTypeOf).join(' or ');
      throw new InvalidFormatError(`A message takes the type ${takes} here, got ${excerpt(properties.type)}`);
    }
    this.#checkSize(body);
    this.options.signing?.check(place, properties, body);
    const { schemas } = this.options;
    if (schemas === undefined) throw new TypeError('A codec without schemas reads no messages');
    const given = jsonIn(body);
    if (isSurely(type, given)) {
      return { type, body: given, replyTo: properties.replyTo } as Extract<Envelope, { type: Type }>;
    }
    const parsed: z.ZodSafeParseResult<unknown> = schemas[type].safeParse(given);
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
