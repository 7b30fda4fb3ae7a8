import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Child, ChildGraph } from '../../src/flows/child-graph.js';
import { made } from './make.js';

const SIZE = 16;
const vertex = fc.nat({ max: SIZE - 1 });

function reaches(from: Child, to: Child): boolean {
  const found = new Set([from]);
  for (const each of found) for (const successor of each.successors.keys()) found.add(successor);
  return found.has(to);
}

describe('a graph of children', () => {
  it('refuses the links that close a circle, and no others, also after some were taken back', () => {
    const links = fc.array(fc.tuple(vertex, vertex, fc.integer({ min: 0, max: 9 })), { maxLength: 120 });
    fc.assert(
      fc.property(links, (wanted) => {
        const graph = new ChildGraph();
        const children = Array.from({ length: SIZE }, (_, at) => graph.insert(made(`t${at}`)));
        graph.keep();
        for (const [one, other, fate] of wanted) {
          const [from, to] = [children[one]!, children[other]!];
          const closes = reaches(to, from);
          const circle = graph.link(from, to, {});
          expect(circle !== null).toBe(closes);
          if (circle !== null) {
            expect([circle[0], circle.at(-1)]).toEqual([to, from]);
            circle.forEach((each, at) => at === 0 || expect(circle[at - 1]!.successors.has(each)).toBe(true));
          }
          if (fate === 0) graph.takeBack();
          else if (fate > 3) graph.keep();
        }
        for (const child of children) {
          for (const successor of child.successors.keys()) expect(child.level).toBeLessThanOrEqual(successor.level);
        }
      }),
      { numRuns: 300 },
    );
  });
});
