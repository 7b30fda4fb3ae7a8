/** A number for a text, to be used as a seed. */
export function seedFrom(text: string): number {
  let seed = 1;
  for (const character of text) seed = (Math.imul(seed, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return seed;
}

/** Some of the items, in a random order. */
export function sample<Item>(items: readonly Item[], count: number, random: () => number): Item[] {
  const left = [...items];
  const taken: Item[] = [];
  while (taken.length < count && left.length > 0) {
    taken.push(...left.splice(Math.floor(random() * left.length), 1));
  }
  return taken;
}
