import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { pictureOfFlow } from '../../visualizations/flow-picture.js';
import { layOut } from '../../visualizations/layout.js';
import { pictureOfMachine } from '../../visualizations/machine-picture.js';
import { type Rectangle, sizeOfNotes } from '../../visualizations/measures.js';
import { Nesting, type Picture } from '../../visualizations/picture.js';
import { MACHINES } from './all-machines.js';

function graphOf(size: number) {
  const tasks = Array.from({ length: size }, (_, index) =>
    task({
      name: `task ${index}`,
      provides: `symbol ${index}`,
      requires: [1, 3, 7].flatMap((back) => (index >= back && index % back === 0 ? [`symbol ${index - back}`] : [])),
      execute: () => null,
    }),
  );
  return graph('graph').addAll([
    ...tasks,
    unordered('many').addAll(
      Array.from({ length: 30 }, (_, index) => task({ name: `worker ${index}`, execute: () => null })),
    ),
    linear('chain').addAll([unordered('empty'), task({ name: 'last', execute: () => null })]),
  ]);
}

const PICTURES: readonly Picture[] = [
  ...MACHINES.map((machine) => pictureOfMachine(machine)),
  pictureOfFlow(graphOf(24)),
];

function overlap(one: Rectangle, other: Rectangle): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

function contains(outer: Rectangle, inner: Rectangle): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

describe.each(PICTURES)('the layout of $title', (picture) => {
  const nesting = new Nesting(picture);
  const layout = layOut(picture);
  const placeOf = (id: string): Rectangle => layout.boxes.get(id)!;
  const leaves = picture.boxes.filter(({ id }) => nesting.childrenOf(id).length === 0);
  const labels = layout.arrows
    .filter(({ arrow }) => arrow.lines.length > 0)
    .map(({ arrow, label }): Rectangle & { lines: readonly string[] } => {
      const { width, height } = sizeOfNotes(arrow.lines);
      return { lines: arrow.lines, x: label.x - width / 2, y: label.y - height / 2, width, height };
    });

  it('has every box inside of the one around it', () => {
    const paper = { x: 0, y: 0, width: layout.width, height: layout.height };
    for (const { id, parent } of picture.boxes) {
      expect(contains(parent === null ? paper : placeOf(parent), placeOf(id))).toBe(true);
    }
    expect(labels.filter((label) => !contains(paper, label))).toEqual([]);
  });

  it('has no boxes on top of each other', () => {
    for (const { id, parent } of picture.boxes) {
      const siblings = nesting.childrenOf(parent).filter((sibling) => sibling.id !== id);
      expect(siblings.filter((sibling) => overlap(placeOf(sibling.id), placeOf(id)))).toEqual([]);
    }
  });

  it('has no labels on top of boxes or of each other', () => {
    for (const label of labels) {
      expect(leaves.filter(({ id }) => overlap(placeOf(id), label))).toEqual([]);
      expect(labels.filter((other) => other !== label && overlap(other, label))).toEqual([]);
    }
  });

  it('leads every arrow from border to border', () => {
    for (const { arrow, points } of layout.arrows) {
      for (const [id, point] of [
        [arrow.from, points[0]!],
        [arrow.to, points.at(-1)!],
      ] as const) {
        const { x, y, width, height } = placeOf(id);
        const distances = [point.x - x, x + width - point.x, point.y - y, y + height - point.y];
        expect(Math.min(...distances)).toBeCloseTo(0, 5);
      }
    }
  });
});
