/**
 * Puts things that must not overlap as near as they can be to where each is wanted, in their order: the sum of the
 * squares of the distances is the least that there is.
 *
 * @param wanted - The middle of each.
 * @param widths - The room that each takes.
 * @returns the middle of each.
 * @see M. Ayer et al.: An empirical distribution function for sampling with incomplete information, 1955.
 */
export function spread(wanted: readonly number[], widths: readonly number[]): number[] {
  /** Where each would begin if all before it stood at one point. */
  const before: number[] = [];
  let sum = 0;
  for (const width of widths) {
    before.push(sum + width / 2);
    sum += width;
  }
  const blocks: { total: number; count: number }[] = [];
  for (const [at, middle] of wanted.entries()) {
    let block = { total: middle - (before[at] ?? 0), count: 1 };
    // What would stand in front of what comes before it is moved together with it.
    for (let last = blocks.at(-1); last !== undefined && meanOf(last) >= meanOf(block); last = blocks.at(-1)) {
      blocks.pop();
      block = { total: last.total + block.total, count: last.count + block.count };
    }
    blocks.push(block);
  }
  const starts = blocks.flatMap((block) => new Array<number>(block.count).fill(meanOf(block)));
  return starts.map((start, at) => start + (before[at] ?? 0));
}

function meanOf({ total, count }: { readonly total: number; readonly count: number }): number {
  return total / count;
}
