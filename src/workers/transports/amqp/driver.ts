/** What is asked of the package `rabbitmq-client`. */
export interface AmqpConnection {
  acquire(options: { readonly emitErrorsFromChannel: boolean }): Promise<AmqpChannel>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  close(): Promise<void>;
  unsafeDestroy(): void;
  /** What it writes to: its own affair, and another after each time that the connection was lost. */
  readonly _socket?: { cork(): void; uncork(): void } | undefined;
}

export interface AmqpChannel {
  readonly active: boolean;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'basic.cancel', listener: (consumerTag: string, error: unknown) => void): unknown;
  on(event: 'basic.return', listener: (message: AmqpMessage) => void): unknown;
  close(): Promise<void>;
  confirmSelect(): Promise<void>;
  /** With confirms it resolves when the broker has the message. */
  basicPublish(envelope: AmqpEnvelope, body: Buffer): Promise<void>;
  basicConsume(
    params: { readonly queue: string; readonly noAck?: boolean; readonly exclusive?: boolean },
    handle: (message: AmqpMessage) => void,
  ): Promise<{ readonly consumerTag: string }>;
  basicCancel(consumerTag: string): Promise<unknown>;
  basicGet(params: { readonly queue: string; readonly noAck?: boolean }): Promise<AmqpMessage | undefined>;
  basicAck(params: { readonly deliveryTag: number; readonly multiple?: boolean }): void;
  basicNack(params: { readonly deliveryTag: number; readonly requeue: boolean }): void;
  basicQos(params: { readonly prefetchCount: number }): Promise<void>;
  queueDeclare(params: {
    readonly queue: string;
    readonly passive?: boolean;
    readonly durable?: boolean;
    readonly exclusive?: boolean;
    readonly autoDelete?: boolean;
    readonly arguments?: Readonly<Record<string, string | number>>;
  }): Promise<{ readonly queue: string }>;
  queueBind(params: { readonly queue: string; readonly exchange: string; readonly routingKey: string }): Promise<void>;
  queueDelete(
    queue: string | { readonly queue: string; readonly ifEmpty: boolean; readonly ifUnused?: boolean },
  ): Promise<unknown>;
  exchangeDeclare(params: {
    readonly exchange: string;
    readonly type: string;
    readonly durable: boolean;
  }): Promise<void>;
  exchangeDelete(params: { readonly exchange: string }): Promise<void>;
}

export interface AmqpFields {
  readonly messageId?: string | undefined;
  readonly type?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
}

export interface AmqpEnvelope extends AmqpFields {
  readonly exchange: string;
  readonly routingKey: string;
  readonly mandatory?: boolean;
  readonly durable?: boolean;
  readonly contentType?: string;
}

export interface AmqpMessage extends AmqpFields {
  readonly deliveryTag: number;
  readonly redelivered: boolean;
  readonly timestamp?: number | undefined;
  readonly body: unknown;
}

/** What is not there, or not as it was asked for, or not allowed, and will not be if it is asked again. */
const REFUSALS = new Set([
  'PRECONDITION_FAILED',
  'ACCESS_REFUSED',
  'RESOURCE_LOCKED',
  'NOT_ALLOWED',
  'NOT_IMPLEMENTED',
]);

export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Whether an error is one of the connection, or of a channel that was closed with it. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return code !== null && !REFUSALS.has(code);
}
