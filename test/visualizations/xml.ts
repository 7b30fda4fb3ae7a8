/** An element of XML, with all that is in it. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  /** Of the element and all in it. */
  text: string;
}

const NAME = String.raw`[A-Za-z_][\w.-]*`;
const TOKEN = new RegExp(String.raw`<(/?)(${NAME})((?:\s+${NAME}="[^"<]*")*)\s*(/?)>|([^<]+)`, 'y');
const ATTRIBUTE = new RegExp(String.raw`(${NAME})="([^"<]*)"`, 'g');
const ENTITIES = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);
/** What XML has no place for. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/u;

/** Reads the part of XML that needs no declarations, and refuses everything that is not well-formed. */
export function parseXml(text: string): Element {
  if (FORBIDDEN.test(text)) throw new SyntaxError('There is a character that XML does not allow');
  const document: Element = { name: '', attributes: new Map(), children: [], text: '' };
  const open = [document];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text);
    if (token === null) throw new SyntaxError(`No XML: ${text.slice(at, at + 80)}`);
    const [, closing, name, attributes = '', empty, content] = token;
    if (content !== undefined) {
      const decoded = decode(content);
      for (const element of open) element.text += decoded;
      continue;
    }
    if (closing === '/') {
      if (open.pop()?.name !== name) throw new SyntaxError(`</${name ?? ''}> closes another element`);
      continue;
    }
    const element: Element = { name: name ?? '', attributes: attributesIn(attributes), children: [], text: '' };
    open.at(-1)?.children.push(element);
    if (empty !== '/') open.push(element);
  }
  const [root, second] = document.children;
  if (open.length !== 1 || root === undefined || second !== undefined) throw new SyntaxError('Not one element');
  return root;
}

function attributesIn(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(ATTRIBUTE)) {
    if (attributes.has(name)) throw new SyntaxError(`${name} is there twice`);
    attributes.set(name, decode(value));
  }
  return attributes;
}

function decode(text: string): string {
  if (/&(?!(#\d+|#x[\da-f]+|[a-z]+);)/i.test(text)) throw new SyntaxError(`A lonely & in ${text}`);
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|([a-z]+));/gi, (_, decimal?: string, hex?: string, name?: string) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    const char = ENTITIES.get(name ?? '');
    if (char === undefined) throw new SyntaxError(`&${name ?? ''}; is not known`);
    return char;
  });
}

/** The element and all in it. */
export function* elementsOf(element: Element): Generator<Element> {
  yield element;
  for (const child of element.children) yield* elementsOf(child);
}

export function hasClass(element: Element, name: string): boolean {
  return element.attributes.get('class')?.split(' ').includes(name) === true;
}
