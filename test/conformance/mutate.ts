/** A change of a piece of JSON that a comparison has to find. */
export interface Mutation {
  /** What was done where, for messages. */
  readonly what: string;
  readonly mutated: unknown;
}

type Place = { readonly path: readonly (string | number)[]; readonly kind: 'change' | 'drop' };

/** Where a value can be changed or an entry of a list dropped. */
function placesIn(value: unknown, path: readonly (string | number)[], places: Place[]): Place[] {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      places.push({ path: [...path, index], kind: 'drop' });
      placesIn(item, [...path, index], places);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) placesIn(item, [...path, name], places);
  } else places.push({ path, kind: 'change' });
  return places;
}

function changed(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return `${value}!`;
    case 'number':
      return value + 1;
    case 'boolean':
      return !value;
    default:
      return 'changed';
  }
}

function mutate(value: unknown, [step, ...rest]: readonly (string | number)[], kind: Place['kind']): unknown {
  if (step === undefined) return changed(value);
  if (Array.isArray(value)) {
    if (typeof step === 'string') throw new TypeError(`a list has no ${step}`);
    const items: unknown[] = value;
    return kind === 'drop' && rest.length === 0
      ? items.toSpliced(step, 1)
      : items.with(step, mutate(items[step], rest, kind));
  }
  if (typeof value !== 'object' || value === null) throw new TypeError(`nothing is at ${step}`);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]: [string, unknown]) => [
      name,
      name === step ? mutate(item, rest, kind) : item,
    ]),
  );
}

/** Single changes of a value, at random places. */
export function* mutationsOf(value: unknown, count: number, random: () => number): Generator<Mutation> {
  const places = placesIn(value, [], []);
  for (let done = 0; done < count && places.length > 0; done++) {
    const place = places[Math.floor(random() * places.length)];
    if (place === undefined) return;
    yield { what: `${place.kind} ${place.path.join('.')}`, mutated: mutate(value, place.path, place.kind) };
  }
}
