/**
 * The name that was probably meant.
 *
 * @returns null when none is near: more than a third of its letters would have to change.
 */
export function nearestName(given: string, known: Iterable<string>): string | null {
  let nearest: string | null = null;
  let least = Infinity;
  for (const name of known) {
    const distance = editsBetween(given.toLowerCase(), name.toLowerCase());
    if (distance < least && distance <= Math.max(1, Math.floor(name.length / 3))) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

/** Letters to insert, remove or replace so that one becomes the other. */
function editsBetween(from: string, to: string): number {
  // For each prefix of `to`: the edits from the prefix of `from` that was looked at last.
  let row = Array.from({ length: to.length + 1 }, (_, length) => length);
  for (const [index, letter] of Array.from(from).entries()) {
    const next = [index + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
