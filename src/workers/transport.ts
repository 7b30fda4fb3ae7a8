/**
 * What carries messages between engines and workers.
 *
 * There are three kinds of places. A *queue* holds work for whoever serves a topic: one of its consumers gets each
 * message, and another gets it again when that one is gone. A *mailbox* belongs to one reader, and keeps what comes while
 * its reader is away. A *room* reaches everybody who listens at the moment, and keeps nothing.
 */

/** What a message says of itself. All of it is text or whole numbers, so that every broker can carry it as it is. */
export interface MessageProperties {
  /** What kind of message it is. */
  readonly type: string;
  /** The mailbox that an answer goes to. */
  readonly replyTo?: string | undefined;
  /** The request that it belongs to. */
  readonly correlationId?: string | undefined;
  /** What is added by whoever signs or traces messages. Names are lower case letters, digits and dashes. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface Message {
  readonly properties: MessageProperties;
  /** Whatever the protocol makes of it; a transport does not look inside. */
  readonly body: Uint8Array;
}

/**
 * One message on its way to one consumer.
 *
 * Each of the three answers is given once; later ones do nothing, and so does an answer after the connection was lost:
 * the message is then on its way to somebody else.
 */
export interface Delivery {
  readonly message: Message;
  /** How often it was given to somebody, this time included. */
  readonly deliveries: number;
  /** It is dealt with. */
  ack(): Promise<void>;
  /** It is for somebody else, now: it counts as given once more. */
  release(): Promise<void>;
  /** It is for nobody: it becomes a dead letter, with its reason. */
  reject(reason: string): Promise<void>;
  /**
   * Puts a message into a mailbox as `Link.post` does, and is dealt with in the same step. It may be tried again when it
   * rejects. Absent where a broker knows no such step: then it is posted first, and acknowledged afterwards.
   */
  readonly reply?: ((mailbox: string, message: Message) => Promise<void>) | undefined;
}

/** A message that nobody could deal with. */
export interface DeadLetter {
  readonly id: string;
  readonly message: Message;
  readonly kind: 'queue' | 'mailbox';
  /** The name of the queue or mailbox in which it was. */
  readonly place: string;
  readonly reason: string;
  readonly deliveries: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface ConsumeOptions {
  /** How many messages it may have without an answer. */
  readonly prefetch: number;
}

export interface MailboxOptions extends ConsumeOptions {
  /** How long, in milliseconds, a mailbox without a reader is kept. */
  readonly expiryMs: number;
}

/** Something that is listening, until it is stopped. */
export interface Consumer {
  /** Takes no more messages. Those that it has keep their right to an answer. Idempotent. */
  stop(): Promise<void>;
}

/**
 * A connection to a broker. It comes back by itself when it was lost, consumers included; what was being sent meanwhile
 * is sent again, so a message may come twice.
 *
 * Handlers are called one after the other for one consumer, and not waited for.
 */
export interface Link {
  /** Puts work into the queue of a topic, which is made if need be. Resolves when the broker keeps it. */
  send(topic: string, message: Message): Promise<void>;
  /** Does what `send` does before anything can be sent to a topic, where that takes a while. */
  prepare?(topic: string): Promise<void>;
  /** Serves a topic. A message whose consumer is gone without an answer comes to another. */
  consume(topic: string, options: ConsumeOptions, handle: (delivery: Delivery) => void): Promise<Consumer>;

  /**
   * Puts a message into a mailbox. Resolves when the broker keeps it, or when there is no such mailbox: then it is gone.
   *
   * @returns whether there is such a mailbox, where the broker knows.
   */
  post(mailbox: string, message: Message): Promise<boolean>;
  /** Makes a mailbox, or takes up the one of this name, with what has come meanwhile; in order. */
  receive(mailbox: string, options: MailboxOptions, handle: (delivery: Delivery) => void): Promise<Consumer>;
  /**
   * Removes a mailbox that is of no use any more, if there is nothing in it. Its reader is to be stopped before.
   *
   * @returns whether it was removed.
   */
  removeMailbox(mailbox: string): Promise<boolean>;

  /** Tells everybody who listens. Resolves when the broker has it. */
  announce(room: string, message: Message): Promise<void>;
  listen(room: string, handle: (message: Message) => void): Promise<Consumer>;

  /** The dead letters, the oldest first. */
  deadLetters(options?: { readonly limit?: number }): Promise<readonly DeadLetter[]>;
  /** Sends dead letters to where they were, as new ones. @returns how many there were. */
  requeueDeadLetters(ids: readonly string[]): Promise<number>;

  /**
   * Removes everything that this exchange has at the broker, messages included. For tests, and for whoever gives a
   * deployment up.
   */
  removeAll(): Promise<void>;

  /** Called with each change: whether the broker can be reached. @returns what takes the listener away. */
  onConnection(listener: (isConnected: boolean, cause: unknown) => void): () => void;
  /** Gives back everything that keeps the process alive. Idempotent. Messages without an answer go to others. */
  close(): Promise<void>;
}

/** A broker, and the part of it that belongs to one exchange. */
export interface Transport {
  /** For messages and the banner; without a password. */
  readonly name: string;
  /**
   * Connects.
   *
   * @throws {TransportError} when the broker cannot be reached within the attempts of the retry options.
   */
  open(): Promise<Link>;
}
