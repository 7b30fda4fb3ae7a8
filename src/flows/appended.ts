/** Up to so many entries are copied rather than pushed: an array that is pushed to has room for sixteen more. */
const MOST_COPIED = 8;

/** The list with one more entry: the same list, or a copy of its exact size. Most of these lists stay short. */
export function appended<Entry>(list: Entry[], entry: Entry): Entry[] {
  if (list.length < MOST_COPIED) return list.concat([entry]);
  list.push(entry);
  return list;
}
