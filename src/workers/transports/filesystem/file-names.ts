/** A name takes 255 bytes at the most, and one that was given once more takes no more digits. */
const NAME = /^(?<order>[0-9a-z-]{1,200})~(?<deliveries>\d{1,9})$/;
const MOST_DELIVERIES = 999_999_999;

/**
 * The name of a file is what its message is sorted by, a tilde, and how often the message was given to somebody: so a
 * claim, which is a change of name, counts.
 */
export const nameOf = (order: string, deliveries: number): string =>
  `${order}~${Math.min(deliveries, MOST_DELIVERIES)}`;

/** What is said by a name; null for a file that is none of a message. */
export function parseName(name: string): { readonly order: string; readonly deliveries: number } | null {
  const { order, deliveries } = NAME.exec(name)?.groups ?? {};
  return order === undefined ? null : { order, deliveries: Number(deliveries) };
}
