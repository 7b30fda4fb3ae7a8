import { stateColours } from './colours.js';
import { type Arrow, type Box, nestedLines, Nesting, type Picture } from './picture.js';
import { dotLabel } from './text.js';

/** A picture in the language of Graphviz, for `dot`. */
export function pictureToDot(picture: Picture): string {
  const nesting = new Nesting(picture);
  const boxes = nestedLines(picture, {
    open: (box) => [
      `subgraph cluster_${box.id} {`,
      `  label=${dotLabel([box.label, ...box.notes])}`,
      ...clusterStyle(box),
    ],
    leaf: (box) => [`${box.id} [${attributesOf(box)}]`],
    close: () => ['}'],
  });
  return [
    'digraph {',
    `  graph [compound=true, rankdir=TB, fontname="monospace", style=rounded, tooltip=${dotLabel([picture.title])}]`,
    '  node [shape=box, style="rounded,filled", fillcolor="#ffffff", fontname="monospace"]',
    '  edge [fontname="monospace", fontsize=11]',
    ...boxes,
    ...picture.arrows.map((arrow) => arrowLine(arrow, nesting)),
    '}',
    '',
  ].join('\n');
}

function attributesOf({ shape, label, notes, state }: Box): string {
  if (shape === 'initial') return 'shape=point, width=0.15, label=""';
  const attributes = [`label=${dotLabel([label, ...notes])}`];
  if (shape === 'final') attributes.push('peripheries=2');
  if (shape === 'history') attributes.push('shape=circle');
  if (shape === 'anywhere') attributes.push('shape=plaintext', 'style=""');
  if (shape === 'retry') attributes.push('shape=hexagon', 'style=filled');
  if (shape === 'flow') attributes.push('style="rounded,filled,dashed"');
  return [...attributes, ...colouring(state)].join(', ');
}

function clusterStyle({ shape, state }: Box): string[] {
  const colours = colouring(state);
  const styles = ['rounded', ...(colours.length === 0 ? [] : ['filled']), ...(shape === 'parallel' ? ['dashed'] : [])];
  return [...(styles.length === 1 ? [] : [`  style="${styles.join(',')}"`]), ...colours.map((each) => `  ${each}`)];
}

function colouring(state: string | null): string[] {
  const colours = state === null ? undefined : stateColours('light').get(state);
  if (colours === undefined) return [];
  return [`fillcolor="${colours.fill}"`, `color="${colours.line}"`, `fontcolor="${colours.text}"`];
}

/** Graphviz leads arrows from node to node, and cuts them off at a cluster. */
function arrowLine({ from, to, lines, dashed }: Arrow, nesting: Nesting): string {
  const tail = leafOf(from, -1, nesting);
  const head = leafOf(to, 0, nesting);
  const attributes = [
    ...(tail === from || from === to ? [] : [`ltail=cluster_${from}`]),
    ...(head === to || from === to ? [] : [`lhead=cluster_${to}`]),
    ...(lines.length === 0 ? [] : [`label=${dotLabel(lines)}`]),
    ...(dashed ? ['style=dashed'] : []),
  ];
  return `  ${tail} -> ${head}${attributes.length === 0 ? '' : ` [${attributes.join(', ')}]`}`;
}

function leafOf(id: string, end: 0 | -1, nesting: Nesting): string {
  let leaf = id;
  for (let child = nesting.childrenOf(leaf).at(end); child !== undefined; child = nesting.childrenOf(leaf).at(end)) {
    leaf = child.id;
  }
  return leaf;
}
