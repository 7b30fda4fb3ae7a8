/** How the path of a value is written: a key below another path, and so on up to the value itself. */
export interface Place {
  readonly above: Place | null;
  /** A key, an index, or a step as it is to be written. */
  readonly key: string | number | { readonly step: string };
}

const PLAIN_KEY = /^[A-Za-z_$][\w$]*$/;

/** Such as `$.rows[3].when`; the value itself is `$`. */
export function pathOf(place: Place | null): string {
  const steps: string[] = [];
  for (let each = place; each !== null; each = each.above) {
    const { key } = each;
    if (typeof key === 'number') steps.push(`[${key}]`);
    else if (typeof key === 'object') steps.push(key.step);
    else steps.push(PLAIN_KEY.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);
  }
  return `$${steps.reverse().join('')}`;
}

export function classNameOf(value: object): string {
  const constructor: unknown = Reflect.get(value, 'constructor');
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : '(unnamed)';
}

const LONGEST_EXCERPT = 60;

/** The beginning of a stored text, for messages. */
export function abbreviate(text: string): string {
  return text.length <= LONGEST_EXCERPT ? text : `${text.slice(0, LONGEST_EXCERPT)}…`;
}
