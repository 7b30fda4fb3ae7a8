import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { task } from '../../../src/atoms/function-task.js';
import { compile } from '../../../src/compiler/compile.js';
import type { Flow } from '../../../src/flows/flow.js';
import { graph } from '../../../src/flows/graph.js';
import { linear } from '../../../src/flows/linear.js';
import { unordered } from '../../../src/flows/unordered.js';
import { layOutFlow, type FlowLayout, type Place } from '../../../visualizations/inspector/flow-layout.js';
import { partsOfFlow, type FlowParts } from '../../../visualizations/inspector/flow-parts.js';
import { spread } from '../../../visualizations/inspector/spread.js';
import { EVERYTHING, generatedCases } from '../../properties/generated-cases.js';
import { album, flowOfCase, manyTasks } from './runs.js';

const tasks = (count: number) => Array.from({ length: count }, (_, at) => task({ name: `t${at}`, execute: () => at }));

function fan(width: number): Flow {
  const source = task({ name: 'source', provides: 'x', execute: () => 1 });
  const takers = Array.from({ length: width }, (_, at) =>
    task({ name: `taker ${at}`, requires: ['x'], provides: `y${at}`, execute: () => 1 }),
  );
  const sink = task({ name: 'sink', requires: takers.map((_, at) => `y${at}`), execute: () => 1 });
  return graph('fan').addAll([source, ...takers, sink]);
}

function deep(levels: number): Flow {
  let flow: Flow = linear('innermost').add(task({ name: 'core', execute: () => 1 }));
  for (let level = 0; level < levels; level++) flow = linear(`level ${level}`).add(flow);
  return flow;
}

const overlap = (one: Place, other: Place) =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

/** Whether a box is in the one around it, all of it. */
const isIn = (inner: Place, outer: Place) =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width + 0.01 &&
  inner.y + inner.height <= outer.y + outer.height + 0.01;

function mistakes({ parts }: FlowParts, { places, links }: FlowLayout): string[] {
  const wrong: string[] = [];
  const siblings = new Map<number | null, number[]>();
  parts.forEach(({ parent, name }, part) => {
    const place = places[part];
    if (place === undefined) return;
    const around = parent === null ? undefined : places[parent];
    if (parent !== null && (around === undefined || !isIn(place, around))) wrong.push(`${name} is not in its flow`);
    const known = siblings.get(parent) ?? [];
    for (const other of known) {
      const beside = places[other];
      if (beside !== undefined && overlap(place, beside)) wrong.push(`${name} stands on ${parts[other]?.name}`);
    }
    siblings.set(parent, [...known, part]);
  });
  for (const { link, points } of links) {
    const [from, to] = [places[link.from], places[link.to]];
    const [first, last] = [points[0], points.at(-1)];
    if (from === undefined || to === undefined || first === undefined || last === undefined) {
      wrong.push('a link leads nowhere');
      continue;
    }
    const near = (one: number, other: number) => Math.abs(one - other) < 0.5;
    const leaves = near(first[1], from.y + from.height) && first[0] >= from.x && first[0] <= from.x + from.width;
    const arrives = near(last[1], to.y) && last[0] >= to.x && last[0] <= to.x + to.width;
    if (!leaves) wrong.push(`a link does not leave ${parts[link.from]?.name}`);
    if (!arrives) wrong.push(`a link does not come to ${parts[link.to]?.name}`);
  }
  return wrong;
}

describe('the layout of a flow', () => {
  it.each<[string, Flow]>([
    ['an album', album().flow],
    ['nothing', linear('empty')],
    ['a short chain', linear('chain').addAll(tasks(4))],
    ['a long chain', linear('chain').addAll(tasks(300))],
    ['what has no order', unordered('many').addAll(tasks(300))],
    ['a wide fan', fan(400)],
    ['deep nesting', deep(200)],
    ['a thousand atoms', manyTasks(1000)],
  ])('has room for %s', (_, flow) => {
    const shown = partsOfFlow(compile(flow));
    const layout = layOutFlow(shown.parts, shown.links);
    expect(mistakes(shown, layout)).toEqual([]);
    expect(layout.links).toHaveLength(shown.links.length);
  });

  it('has room for any flow, whatever of it is folded', () => {
    fc.assert(
      fc.property(generatedCases(EVERYTHING), fc.infiniteStream(fc.boolean()), (test, folds) => {
        const root = flowOfCase(test);
        const shown = partsOfFlow(compile(root));
        const flows = shown.parts.flatMap(({ kind }, part) => (kind === 'flow' && part > 0 ? [part] : []));
        const folded = new Set(flows.filter(() => folds.next().value));
        const layout = layOutFlow(shown.parts, shown.links, folded);
        expect(mistakes(shown, layout)).toEqual([]);
        shown.parts.forEach(({ parent }, part) => {
          const isHidden = parent !== null && (folded.has(parent) || layout.places[parent] === undefined);
          expect(layout.places[part] === undefined).toBe(isHidden);
        });
      }),
    );
  });

  it('is not much wider than high, nor higher than wide, for many atoms beside or after each other', () => {
    for (const flow of [linear('chain').addAll(tasks(1000)), unordered('many').addAll(tasks(1000)), fan(1000)]) {
      const { parts, links } = partsOfFlow(compile(flow));
      const { width, height } = layOutFlow(parts, links);
      expect(width / height, flow.name).toBeGreaterThan(0.5);
      expect(width / height, flow.name).toBeLessThan(4);
    }
  });
});

describe('things that must not overlap', () => {
  const things = fc.array(
    fc.record({ wanted: fc.integer({ min: -500, max: 500 }), width: fc.integer({ min: 1, max: 90 }) }),
    {
      maxLength: 40,
    },
  );

  it('stand in their order, with room for each, and where they are wanted if nothing is in the way', () => {
    fc.assert(
      fc.property(things, (given) => {
        const widths = given.map(({ width }) => width);
        const found = spread(
          given.map(({ wanted }) => wanted),
          widths,
        );
        found.forEach((middle, at) => {
          const before = found[at - 1];
          const room = (widths[at]! + (widths[at - 1] ?? 0)) / 2;
          if (before !== undefined) expect(middle - before).toBeGreaterThanOrEqual(room - 1e-6);
        });
        const isFree = given.every(({ wanted, width }, at) => {
          const before = given[at - 1];
          return before === undefined || wanted - before.wanted >= (width + before.width) / 2;
        });
        if (isFree) given.forEach(({ wanted }, at) => expect(found[at]).toBeCloseTo(wanted));
      }),
    );
  });
});
