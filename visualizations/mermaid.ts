import { stateColours } from './colours.js';
import { type Arrow, type Box, nestedLines, Nesting, type Picture } from './picture.js';
import { mermaidLabel } from './text.js';

/** A picture as a Mermaid `stateDiagram-v2`. */
export function pictureToStateDiagram(picture: Picture): string {
  const nesting = new Nesting(picture);
  const described = (box: Box) => `state "${mermaidLabel([box.label, ...box.notes])}" as ${box.id}`;
  /** The children of a parallel state are divided by lines. */
  const divided = (box: Box, line: string): string[] => {
    const isRegion = box.parent !== null && nesting.get(box.parent).shape === 'parallel';
    return isRegion && nesting.childrenOf(box.parent)[0] !== box ? ['--', line] : [line];
  };
  const begins = new Map(picture.arrows.map(({ from, to }) => [from, to]));
  const boxes = nestedLines(picture, {
    open: (box) => divided(box, `${described(box)} {`),
    leaf: (box) => {
      if (box.shape === 'initial') return [`[*] --> ${begins.get(box.id) ?? box.id}`];
      return [...divided(box, described(box)), ...(box.shape === 'final' ? [`${box.id} --> [*]`] : [])];
    },
    close: () => ['}'],
  });
  const arrows = picture.arrows
    .filter(({ from }) => nesting.get(from).shape !== 'initial')
    .map(({ from, to, lines }) => `  ${from} --> ${to}${lines.length === 0 ? '' : ` : ${mermaidLabel(lines)}`}`);
  return ['stateDiagram-v2', ...boxes, ...arrows, ...classes(picture), ''].join('\n');
}

/** A picture as a Mermaid `flowchart`. */
export function pictureToFlowchart(picture: Picture): string {
  const boxes = nestedLines(picture, {
    open: (box) => [`subgraph ${box.id}["${mermaidLabel([titleOf(box)])}"]`, '  direction TB'],
    leaf: (box) => {
      const label = `"${mermaidLabel([box.label, ...box.notes])}"`;
      if (box.shape === 'retry') return [`${box.id}{{${label}}}`];
      return [box.shape === 'flow' ? `${box.id}([${label}])` : `${box.id}[${label}]`];
    },
    close: () => ['end'],
  });
  return ['flowchart TB', ...boxes, ...picture.arrows.map(flowchartArrow), ...classes(picture), ''].join('\n');
}

function titleOf({ label, notes }: Box): string {
  return notes.length === 0 ? label : `${label} (${notes.join(', ')})`;
}

function flowchartArrow({ from, to, lines, dashed }: Arrow): string {
  const label = lines.length === 0 ? '' : `|"${mermaidLabel(lines)}"|`;
  return `  ${from} ${dashed ? '-.->' : '-->'}${label} ${to}`;
}

function classes({ boxes }: Picture): string[] {
  return [...stateColours('light')].flatMap(([state, { fill, line, text }]) => {
    const inState = boxes.filter((box) => box.state === state).map(({ id }) => id);
    if (inState.length === 0) return [];
    return [`  classDef ${state} fill:${fill},stroke:${line},color:${text}`, `  class ${inState.join(',')} ${state}`];
  });
}
