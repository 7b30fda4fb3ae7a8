import { type Colours, stateColours } from './colours.js';
import { layOut, type PlacedArrow } from './layout.js';
import { fitted, NAME, NOTE, type Point, type Rectangle } from './measures.js';
import { type Box, Nesting, type Picture } from './picture.js';
import { visible, xml } from './text.js';

/** A picture as one SVG that needs nothing else, and is light or dark as the reader prefers. */
export function pictureToSvg(picture: Picture): string {
  const nesting = new Nesting(picture);
  const { width, height, boxes, arrows } = layOut(picture);
  const size = `width="${number(width)}" height="${number(height)}" viewBox="0 0 ${number(width)} ${number(height)}"`;
  const states = new Set(picture.boxes.flatMap(({ state }) => (state === null ? [] : [state])));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="flowstate" role="img" aria-label="${xml(picture.title)}" ${size}>`,
    `  <style>${style(states)}</style>`,
    '  <defs>',
    '    <marker id="flowstate-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">',
    '      <path class="head" d="M0,1 L10,5 L0,9 z"/>',
    '    </marker>',
    '  </defs>',
    '  <rect class="paper" width="100%" height="100%"/>',
    ...picture.boxes.flatMap((box) => {
      const place = boxes.get(box.id);
      return place === undefined ? [] : drawBox(box, place, nesting.childrenOf(box.id).length > 0);
    }),
    ...arrows.map(drawLine),
    ...arrows.flatMap(drawLabel),
    '</svg>',
    '',
  ].join('\n');
}

function drawBox(box: Box, { x, y, width, height }: Rectangle, isAround: boolean): string[] {
  const middle = { x: x + width / 2, y: y + height / 2 };
  if (box.shape === 'initial') {
    return [`  <circle class="dot" cx="${number(middle.x)}" cy="${number(middle.y)}" r="${number(width / 2)}"/>`];
  }
  const outline = (inset: number, radius: number) =>
    `<rect x="${number(x + inset)}" y="${number(y + inset)}" ` +
    `width="${number(width - 2 * inset)}" height="${number(height - 2 * inset)}" rx="${number(radius)}"/>`;
  const classes = ['box', box.shape, ...(isAround ? ['around'] : []), ...stateClass(box.state)];
  return [
    `  <g id="${box.id}" class="${classes.join(' ')}">`,
    ...tooltip([box.label, ...box.notes]).map((line) => `    ${line}`),
    `    ${outline(0, box.shape === 'retry' || box.shape === 'history' ? height / 2 : 8)}`,
    ...(box.shape === 'final' ? [`    ${outline(3.5, 5)}`] : []),
    ...textLines(box, { x: isAround ? x + 18 : middle.x, y: y + (isAround ? 18 : 8) }),
    '  </g>',
  ];
}

function textLines({ label, notes }: Box, { x, y }: Point): string[] {
  return [
    `    <text class="name" x="${number(x)}" y="${number(y + NAME.size)}">${xml(fitted(label))}</text>`,
    ...notes.map((note, index) => {
      const below = y + NAME.line + NOTE.size + index * NOTE.line;
      return `    <text class="note" x="${number(x)}" y="${number(below)}">${xml(fitted(note))}</text>`;
    }),
  ];
}

function drawLine({ arrow, points }: PlacedArrow): string {
  const classes = arrow.dashed ? 'arrow dashed' : 'arrow';
  return `  <path class="${classes}" d="${curve(points)}" marker-end="url(#flowstate-head)"/>`;
}

function drawLabel({ arrow, label }: PlacedArrow): string[] {
  const top = label.y - (arrow.lines.length * NOTE.line) / 2;
  return arrow.lines.map((line, index) => {
    const y = top + index * NOTE.line + NOTE.size;
    const title = tooltip([line]).join('');
    return `  <text class="label" x="${number(label.x)}" y="${number(y)}">${title}${xml(fitted(line))}</text>`;
  });
}

/** All of what is cut where it is drawn. */
function tooltip(texts: readonly string[]): string[] {
  const isCut = texts.some((text) => fitted(text) !== visible(text));
  return isCut ? [`<title>${texts.map(xml).join(' ')}</title>`] : [];
}

/** A line through the points with its corners rounded. */
function curve(points: readonly Point[]): string {
  const [first, ...others] = points;
  if (first === undefined) return '';
  const parts = [`M${pair(first)}`];
  let before = first;
  others.forEach((corner, index) => {
    const after = others[index + 1];
    if (after === undefined) parts.push(`L${pair(corner)}`);
    else {
      const start = towards(corner, before);
      const end = towards(corner, after);
      parts.push(`L${pair(start)}`, `Q${pair(corner)} ${pair(end)}`);
    }
    before = corner;
  });
  return parts.join(' ');
}

const ROUNDING = 24;

/** A little way from a corner to a point, at most half of it. */
function towards(corner: Point, to: Point): Point {
  const distance = Math.hypot(to.x - corner.x, to.y - corner.y);
  const part = distance === 0 ? 0 : Math.min(0.5, ROUNDING / distance);
  return { x: corner.x + (to.x - corner.x) * part, y: corner.y + (to.y - corner.y) * part };
}

function pair({ x, y }: Point): string {
  return `${number(x)},${number(y)}`;
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function stateClass(state: string | null): string[] {
  return state !== null && stateColours('light').has(state) ? [`is-${state}`] : [];
}

interface Theme {
  readonly paper: string;
  readonly surface: string;
  readonly border: string;
  readonly line: string;
  readonly text: string;
  readonly quiet: string;
}

const LIGHT: Theme = {
  paper: '#ffffff',
  surface: '#f6f8fa',
  border: '#8c959f',
  line: '#57606a',
  text: '#1f2328',
  quiet: '#57606a',
};
const DARK: Theme = {
  paper: '#0d1117',
  surface: '#21262d',
  border: '#6e7681',
  line: '#8b949e',
  text: '#e6edf3',
  quiet: '#9ea7b3',
};

/** Every rule names the picture, so that it can stand in a page. Without variables, which not all renderers know. */
function style(states: ReadonlySet<string>): string {
  const font = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace";
  return [
    '',
    rule('text', `font-family:${font};text-anchor:middle`),
    rule('.name', `font-size:${NAME.size}px;font-weight:600`),
    rule('.note', `font-size:${NOTE.size}px`),
    rule('.label', `font-size:${NOTE.size}px;paint-order:stroke;stroke-width:5px;stroke-linejoin:round`),
    rule('.around>text', 'text-anchor:start'),
    rule('.box>rect', 'stroke-width:1.25px'),
    rule('.around>rect', 'fill-opacity:0.35'),
    rule('.parallel>rect', 'stroke-dasharray:6 4'),
    rule('.anywhere>rect', 'stroke-dasharray:2 3'),
    rule('.is-IGNORE>rect', 'stroke-dasharray:4 3'),
    rule('.arrow', 'fill:none;stroke-width:1.25px'),
    rule('.dashed', 'stroke-dasharray:5 4'),
    ...themeRules(LIGHT, states, stateColours('light')),
    '@media (prefers-color-scheme:dark){',
    ...themeRules(DARK, states, stateColours('dark')),
    '}',
    '  ',
  ].join('\n');
}

function themeRules(
  { paper, surface, border, line, text, quiet }: Theme,
  states: ReadonlySet<string>,
  colours: ReadonlyMap<string, Colours>,
): string[] {
  return [
    rule('.paper', `fill:${paper}`),
    rule('.box>rect', `fill:${surface};stroke:${border}`),
    rule('.name', `fill:${text}`),
    rule('.note', `fill:${quiet}`),
    rule('.label', `fill:${text};stroke:${paper}`),
    rule('.arrow', `stroke:${line}`),
    rule('.head', `fill:${line}`),
    rule('.dot', `fill:${line}`),
    ...[...colours]
      .filter(([state]) => states.has(state))
      .flatMap(([state, { fill, line: stroke, text: letters }]) => [
        rule(`.is-${state}>rect`, `fill:${fill};stroke:${stroke}`),
        rule(`.is-${state}>text`, `fill:${letters}`),
      ]),
  ];
}

function rule(selector: string, declarations: string): string {
  return `.flowstate ${selector}{${declarations}}`;
}
