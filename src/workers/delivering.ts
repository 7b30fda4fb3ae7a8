import type { ConsumeOptions, Delivery, MailboxOptions, Message } from './transport.js';

/** What a transport does with the answer to a delivery. */
export interface Answers {
  readonly ack: () => Promise<void>;
  readonly release: () => Promise<void>;
  readonly reject: (reason: string) => Promise<void>;
  readonly reply?: ((mailbox: string, message: Message) => Promise<void>) | undefined;
}

const DONE = Promise.resolve();

/** A delivery whose first answer counts. */
export function deliveryOf(message: Message, deliveries: number, answers: Answers): Delivery {
  let isAnswered = false;
  const once = (answer: () => Promise<void>): Promise<void> => {
    if (isAnswered) return DONE;
    isAnswered = true;
    return answer();
  };
  const { reply } = answers;
  return {
    message,
    deliveries,
    ack: () => once(answers.ack),
    release: () => once(answers.release),
    reject: (reason) => once(() => answers.reject(reason)),
    reply:
      reply &&
      (async (mailbox, answer) => {
        await reply(mailbox, answer);
        isAnswered = true;
      }),
  };
}

/**
 * Hands a delivery to its handler. One that throws has not dealt with it, and would throw again: it becomes a dead
 * letter.
 */
export function handOver(delivery: Delivery, handle: (delivery: Delivery) => void): void {
  try {
    handle(delivery);
  } catch (error) {
    delivery.reject(`its handler threw: ${textOf(error)}`).catch(() => undefined);
  }
}

/** Hands an announcement to a listener. What it throws goes nowhere, as nobody waits for an answer. */
export function tell(message: Message, handle: (message: Message) => void): void {
  try {
    handle(message);
  } catch {
    // It is the listener's own trouble.
  }
}

function textOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'something that has no text form';
  }
}

/** @throws {RangeError} for what is no number of messages. */
export function checkConsume({ prefetch }: ConsumeOptions): void {
  if (Number.isSafeInteger(prefetch) && prefetch > 0) return;
  throw new RangeError(`The option prefetch takes a whole number from 1, got ${String(prefetch)}`);
}

/** @throws {RangeError} for what is no number of messages, and no time. */
export function checkMailbox(options: MailboxOptions): void {
  checkConsume(options);
  const { expiryMs } = options;
  if (Number.isSafeInteger(expiryMs) && expiryMs > 0) return;
  throw new RangeError(`The option expiryMs takes whole milliseconds from 1, got ${String(expiryMs)}`);
}
