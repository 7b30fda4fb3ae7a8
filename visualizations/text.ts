/** Cannot be seen, or changes how what stands around it is seen; joiners belong to what they join. */
const INVISIBLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Cn}\p{Co}]/gu;
const NAMED = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** A name as one line that can be seen: what is invisible is written as in a string of TypeScript. */
export function visible(text: string): string {
  const shown = text.replace(INVISIBLE, (char) => {
    return NAMED.get(char) ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return shown.trim() === '' ? `'${shown}'` : shown;
}

/** The text in XML, as content or in an attribute. */
export function xml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** A label of DOT, with its quotes. Graphviz knows entities in labels, too. */
export function dotLabel(lines: readonly string[]): string {
  const escaped = lines.map((line) => visible(line).replace(/&/g, '&amp;').replace(/[\\"]/g, '\\$&'));
  return `"${escaped.join('\\n')}"`;
}

/** Letters, and what is neither syntax nor Markdown where it stands: `1. a`, `1) a`, `- a`, `_a_` and `[a](b)` would be. */
const PLAIN_IN_MERMAID = new RegExp(
  [
    String.raw`[\p{L}\p{N}\p{M},[\]]`,
    String.raw`(?<=[\p{L}\p{N}])[-_.](?=[\p{L}\p{N}])`,
    String.raw`(?<=\S) (?=\S)`,
    String.raw`(?<!\])\(`,
    String.raw`(?<!\p{N})\)`,
  ].join('|'),
  'u',
);

/**
 * A label of Mermaid.
 *
 * Everything that could be syntax, Markdown or an icon there is written as an entity, which Mermaid reads before it
 * looks for any of them.
 */
export function mermaidLabel(lines: readonly string[]): string {
  return lines.map((line) => mermaidLine(visible(line))).join('<br/>');
}

function mermaidLine(line: string): string {
  const matcher = new RegExp(`(${PLAIN_IN_MERMAID.source})|.`, 'gu');
  return line.replace(matcher, (char, plain: string | undefined) => plain ?? `#${char.codePointAt(0) ?? 0};`);
}

/** A code span for a cell of a Markdown table. */
export function markdownCode(text: string): string {
  const shown = visible(text);
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = shown.startsWith('`') || shown.endsWith('`') ? ' ' : '';
  return `${fence}${space}${shown}${space}${fence}`.replace(/\|/g, '\\|');
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]/u;
const ZERO = /[\p{M}\u200c\u200d]/u;

/** How many columns of a font of one width the text takes. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) columns += ZERO.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return columns;
}

/** The text in at most so many columns. */
export function shortened(text: string, limit: number): string {
  if (columnsOf(text) <= limit) return text;
  let kept = '';
  let columns = 1;
  for (const char of text) {
    columns += columnsOf(char);
    if (columns > limit) break;
    kept += char;
  }
  return `${kept}…`;
}
