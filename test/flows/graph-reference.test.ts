import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Retry } from '../../src/atoms/retry.js';
import { AmbiguousDependencyError, DependencyError } from '../../src/errors.js';
import type { FlowItem } from '../../src/flows/flow.js';
import { graph } from '../../src/flows/graph.js';
import { linksOf, made, namesOf, retryWith } from './make.js';

interface Edge {
  readonly from: FlowItem;
  readonly to: FlowItem;
  readonly reasons: string[];
  manual: boolean;
}

interface Flags {
  readonly resolveRequires: boolean;
  readonly resolveExisting: boolean;
}

/** A graph flow as patterns.md 4 tells of it: everything is copied, looked up and checked anew for every change. */
class NaiveGraphFlow {
  nodes: FlowItem[] = [];
  edges: Edge[] = [];

  constructor(readonly retry: Retry | null) {}

  add(items: readonly FlowItem[], { resolveRequires, resolveExisting }: Flags): void {
    const copy = this.copy();
    const newcomers = items.filter((item) => !this.nodes.includes(item));
    const required = new Map<string, (FlowItem | Retry)[]>();
    const provided = new Map<string, (FlowItem | Retry)[]>();
    const note = (map: Map<string, (FlowItem | Retry)[]>, symbol: string, who: FlowItem | Retry) =>
      map.set(symbol, [...(map.get(symbol) ?? []), who]);
    for (const symbol of this.retry?.requires ?? []) note(required, symbol, this.retry!);
    for (const symbol of this.retry?.provides ?? []) note(provided, symbol, this.retry!);
    for (const node of this.nodes) {
      for (const symbol of this.unsatisfied(node)) note(required, symbol, node);
      for (const symbol of node.provides) note(provided, symbol, node);
    }
    for (const node of newcomers) {
      copy.nodes.push(node);
      if (resolveRequires) {
        for (const symbol of copy.unsatisfied(node)) {
          const providers = provided.get(symbol) ?? [];
          if (providers.length > 1) throw new AmbiguousDependencyError(symbol);
          if (providers.length === 1) copy.join(providers[0] as FlowItem, node, symbol);
          else note(required, symbol, node);
        }
      }
      for (const symbol of node.provides) note(provided, symbol, node);
      if (resolveExisting) {
        for (const symbol of node.provides) {
          for (const requirer of required.get(symbol) ?? []) {
            if (requirer === node) continue;
            if (requirer === this.retry) throw new DependencyError('D13');
            copy.join(node, requirer as FlowItem, symbol);
            required.set(
              symbol,
              (required.get(symbol) ?? []).filter((each) => each !== requirer),
            );
          }
        }
      }
    }
    this.become(copy);
  }

  link(from: FlowItem, to: FlowItem): void {
    const copy = this.copy();
    copy.join(from, to, null);
    this.become(copy);
  }

  /** By layers. */
  *order(): Generator<FlowItem> {
    const waiting = new Map(this.nodes.map((node) => [node, this.edges.filter(({ to }) => to === node).length]));
    let layer = this.nodes.filter((node) => waiting.get(node) === 0);
    while (layer.length > 0) {
      yield* layer;
      const next: FlowItem[] = [];
      for (const node of layer) {
        for (const { from, to } of this.edges) {
          if (from !== node) continue;
          waiting.set(to, waiting.get(to)! - 1);
          if (waiting.get(to) === 0) next.push(to);
        }
      }
      layer = next;
    }
  }

  get links(): string[] {
    return this.nodes.flatMap((node) =>
      this.edges
        .filter(({ from }) => from === node)
        .map(({ from, to, reasons, manual }) =>
          [
            `${from.name} -> ${to.name}`,
            ...(reasons.length > 0 ? [`for ${reasons.join(' ')}`] : []),
            ...(manual ? ['manual'] : []),
          ].join(', '),
        ),
    );
  }

  get requires(): Set<string> {
    return new Set([...(this.retry?.requires ?? []), ...this.nodes.flatMap((node) => this.unsatisfied(node))]);
  }

  private unsatisfied(node: FlowItem): string[] {
    const before = new Set<FlowItem>([node]);
    for (const each of before) for (const { from, to } of this.edges) if (to === each) before.add(from);
    before.delete(node);
    return [...node.requires].filter(
      (symbol) =>
        this.retry?.provides.has(symbol) !== true && ![...before].some(({ provides }) => provides.has(symbol)),
    );
  }

  private join(from: FlowItem, to: FlowItem, reason: string | null): void {
    let edge = this.edges.find((each) => each.from === from && each.to === to);
    if (edge === undefined) {
      edge = { from, to, reasons: [], manual: false };
      this.edges.push(edge);
    }
    if (reason === null) edge.manual = true;
    else if (!edge.reasons.includes(reason)) edge.reasons.push(reason);
  }

  private copy(): NaiveGraphFlow {
    const copy = new NaiveGraphFlow(this.retry);
    copy.nodes = [...this.nodes];
    copy.edges = this.edges.map((edge) => ({ ...edge, reasons: [...edge.reasons] }));
    return copy;
  }

  private become({ nodes, edges, ...copy }: NaiveGraphFlow): void {
    if ([...Object.assign(this.copy(), copy, { nodes, edges }).order()].length < nodes.length)
      throw new DependencyError('circle');
    this.nodes = nodes;
    this.edges = edges;
  }
}

const symbols = fc.uniqueArray(fc.constantFrom('p', 'q', 'r', 's', 't', 'u', 'v', 'w'), { maxLength: 3 });
const atom = fc.record({ requires: symbols, provides: symbols });
const often = fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) });
const change = fc.oneof(
  fc.record({
    items: fc.array(atom, { minLength: 1, maxLength: 4 }),
    resolveRequires: often,
    resolveExisting: often,
  }),
  fc.record({ from: fc.nat(), to: fc.nat() }),
);

function outcome(step: () => void): string {
  try {
    step();
    return 'done';
  } catch (error) {
    return error instanceof Error ? error.name : 'something else';
  }
}

describe('a graph flow', () => {
  it('is linked, ordered and refused as one that checks everything anew', () => {
    fc.assert(
      fc.property(fc.option(atom), fc.array(change, { maxLength: 12 }), (controller, changes) => {
        const retry = controller === null ? null : retryWith({ name: 'retry', ...controller });
        const expected = new NaiveGraphFlow(retry);
        const flow = graph('f', { retry });
        const tried: FlowItem[] = [];
        for (const step of changes) {
          if ('items' in step) {
            const items = step.items.map(({ requires, provides }, at) =>
              made(`t${tried.length + at}`, requires, provides),
            );
            tried.push(...items);
            expect(outcome(() => flow.addAll(items, step))).toBe(outcome(() => expected.add(items, step)));
          } else {
            const { nodes } = expected;
            const [from, to] = [nodes[step.from % nodes.length], nodes[step.to % nodes.length]];
            if (from === undefined || to === undefined) continue;
            expect(outcome(() => flow.link(from, to))).toBe(outcome(() => expected.link(from, to)));
          }
          expect(linksOf(flow)).toEqual(expected.links);
          expect(namesOf(flow)).toEqual([...expected.order()].map(({ name }) => name));
          expect([...flow.requires]).toEqual([...expected.requires]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
