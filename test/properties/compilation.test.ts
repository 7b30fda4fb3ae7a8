import { alg } from '@dagrejs/graphlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import type { AtomNode, Compilation, PlanNode } from '../../src/compiler/compilation.js';
import { isAtom } from '../../src/compiler/compilation.js';
import { compile } from '../../src/compiler/compile.js';
import { Scopes } from '../../src/compiler/scopes.js';
import { graph } from '../../src/flows/graph.js';
import { behavioursOf } from '../conformance/behaviours.js';
import { buildFlow } from '../conformance/build-flow.js';
import { CallCounts } from '../conformance/call-counts.js';
import type { ConformanceCase } from '../conformance/case.js';
import { EVERYTHING, generatedCases } from './generated-cases.js';

function compiled(test: ConformanceCase): Compilation {
  const stage = { isDead: false, trace: () => undefined, suspend: () => undefined };
  return compile(buildFlow(test.flow, behavioursOf(test.flow, new CallCounts(), stage)).root);
}

function placesIn(order: Iterable<number>): Map<number, number> {
  return new Map([...order].map((node, place) => [node, place]));
}

/** A link leads from a lower number to a higher one, so that there is never a circle. */
const randomGraphs = fc
  .record({
    size: fc.integer({ min: 1, max: 40 }),
    links: fc.array(fc.tuple(fc.nat(39), fc.nat(39)), { maxLength: 120 }),
    order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  })
  .map(({ size, links, order }) => {
    const tasks = Array.from({ length: size }, (_, i) => task({ name: `t${i}`, execute: () => null }));
    const shuffled = tasks.toSorted(
      (one, other) => (order[tasks.indexOf(one)] ?? 0) - (order[tasks.indexOf(other)] ?? 0),
    );
    const flow = graph('g').addAll(shuffled);
    for (const [from, to] of links) {
      const [source, target] = [tasks[Math.min(from, to)], tasks[Math.max(from, to)]];
      if (source !== undefined && target !== undefined && source !== target) flow.link(source, target);
    }
    return flow;
  });

/** All atoms that come before one. */
function before(compilation: Compilation, atom: AtomNode): Set<AtomNode> {
  const found = new Set<PlanNode>();
  const pending = compilation.predecessors(atom);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    pending.push(...compilation.predecessors(node));
  }
  return new Set([...found].filter(isAtom));
}

/** Scopes as they are defined: by walking up the hierarchy, and at each level back through all that stands before. */
function scopesByDefinition(compilation: Compilation, atom: AtomNode): string[][] {
  const left = before(compilation, atom);
  const childrenOf = (flow: PlanNode) =>
    compilation.nodes
      .filter(({ parent, kind }) => parent === flow && kind !== 'end')
      .sort((a, b) => a.position - b.position);
  const below = (node: PlanNode): AtomNode[] => (isAtom(node) ? [node] : childrenOf(node).toReversed().flatMap(below));
  const levels: string[][] = [];
  let child: PlanNode = atom;
  for (let flow = atom.parent; flow !== null && left.size > 0; child = flow, flow = flow.parent) {
    const children = childrenOf(flow);
    const earlier = children.slice(0, children.indexOf(child)).toReversed().flatMap(below);
    const visible = earlier.filter((each) => left.delete(each));
    levels.push(visible.map(({ name }) => name));
  }
  return levels;
}

describe('compiled flows', () => {
  it('have an order in which each node comes after all that lead to it', () => {
    fc.assert(
      fc.property(randomGraphs, (flow) => {
        const compilation = compile(flow);
        const places = placesIn(compilation.topological);
        expect(places.size).toBe(compilation.nodes.length);
        for (const { from, to } of compilation.edges) expect(places.get(from)).toBeLessThan(places.get(to) ?? -1);
        // The order of the nodes themselves is one, too, but for retries, and ends of flows.
        for (const { from, to } of compilation.edges) expect(from).toBeLessThan(to);
      }),
      { numRuns: 200 },
    );
  });

  it('are the same in their arrays and in the graph for tools', () => {
    fc.assert(
      fc.property(generatedCases(EVERYTHING), (test) => {
        const compilation = compiled(test);
        const { graph: drawn, nodes, edges } = compilation;
        expect(alg.isAcyclic(drawn)).toBe(true);
        expect(drawn.nodeCount()).toBe(nodes.length);
        const inArrays = new Set(edges.map(({ from, to }) => `n${from} n${to}`));
        expect(new Set(drawn.edges().map(({ v, w }) => `${v} ${w}`))).toEqual(inArrays);
        expect(inArrays.size).toBe(edges.length);
        for (const node of nodes) {
          const ids = (found: readonly PlanNode[]) => found.map(({ index }) => `n${index}`).sort();
          expect(ids(compilation.successors(node))).toEqual([...(drawn.successors(`n${node.index}`) ?? [])].sort());
          expect(ids(compilation.predecessors(node))).toEqual([...(drawn.predecessors(`n${node.index}`) ?? [])].sort());
        }
      }),
      { numRuns: 150 },
    );
  }, 30_000);

  it('begin in one place and end in one, and every node lies between', () => {
    fc.assert(
      fc.property(generatedCases(EVERYTHING), (test) => {
        const compilation = compiled(test);
        const withoutPredecessors = compilation.nodes.filter((node) => compilation.predecessors(node).length === 0);
        const withoutSuccessors = compilation.nodes.filter((node) => compilation.successors(node).length === 0);
        expect(withoutPredecessors.map(({ kind, parent }) => [kind, parent])).toEqual([['flow', null]]);
        expect(withoutSuccessors.map(({ kind, parent }) => [kind, parent])).toEqual([['end', null]]);
      }),
      { numRuns: 150 },
    );
  }, 30_000);

  it('show each atom what the definition of scopes says', () => {
    fc.assert(
      fc.property(generatedCases(EVERYTHING), (test) => {
        const compilation = compiled(test);
        const scopes = new Scopes(compilation);
        for (const atom of compilation.atoms)
          expect(scopes.levels(atom)).toEqual(scopesByDefinition(compilation, atom));
      }),
      { numRuns: 200 },
    );
  }, 30_000);

  it('show the providers of a symbol where all that is shown has them', () => {
    fc.assert(
      fc.property(generatedCases(EVERYTHING), fc.constantFrom('x', 'y', 'z'), (test, symbol) => {
        const compilation = compiled(test);
        const scopes = new Scopes(compilation);
        for (const atom of compilation.atoms) {
          const expected = scopesByDefinition(compilation, atom)
            .map((level) => level.filter((name) => compilation.atom(name).item.saveAs.has(symbol)))
            .filter((level) => level.length > 0);
          const byLevel = new Map<number, string[]>();
          scopes.visitProviders(atom, symbol, ({ node }, level) => {
            byLevel.set(level, [...(byLevel.get(level) ?? []), node.name]);
            return false;
          });
          expect([...byLevel.values()]).toEqual(expected);
          // The first is found without looking at the others.
          const visited: string[] = [];
          scopes.visitProviders(atom, symbol, ({ node }) => visited.push(node.name) > 0);
          expect(visited).toEqual(expected.flat().slice(0, 1));
        }
      }),
      { numRuns: 300 },
    );
  }, 30_000);
});
