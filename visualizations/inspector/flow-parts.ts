import type { Compilation, PlanNode } from '../../src/compiler/compilation.js';
import { isAtom } from '../../src/compiler/compilation.js';
import { Scopes } from '../../src/compiler/scopes.js';
import type { PictureArgument, PictureLink, PicturePart } from './run-picture.js';

/** The structure of a compiled flow, as the page shows it. */
export interface FlowParts {
  readonly parts: readonly PicturePart[];
  readonly links: readonly PictureLink[];
  /** By the name of an atom, its place in `parts`. */
  readonly places: ReadonlyMap<string, number>;
}

/**
 * The parts of a flow and the links between them. Along a link goes what an atom on its one side provides to an atom on
 * its other side, whether that is why the link is there or not.
 */
export function partsOfFlow(compilation: Compilation): FlowParts {
  // The end of a flow shares the place of its beginning.
  const entries = new Map<number, PlanNode>();
  for (const node of compilation.nodes) if (node.kind !== 'end') entries.set(node.position, node);
  const inOrder = [...entries.values()].sort((one, other) => one.position - other.position);
  const placeByPosition = new Map(inOrder.map(({ position }, place) => [position, place]));
  const placeOf = (node: PlanNode) => placeByPosition.get(node.position) ?? 0;
  const scopes = new Scopes(compilation);

  const carried = new Map<string, Set<string>>();
  const parts = inOrder.map((node): PicturePart => {
    const base = { parent: node.parent === null ? null : placeOf(node.parent), name: node.name };
    if (!isAtom(node)) return { ...base, kind: 'flow', pattern: node.item.pattern, takes: [], gives: [] };
    const takes = [...node.item.executeMapping.bindings].map(([argument, symbol]): PictureArgument => {
      const providers = nearestProviders(scopes, node, symbol);
      for (const provider of providers) {
        const [from, to] = apart(provider, node);
        const key = `${placeOf(from)} ${placeOf(to)}`;
        carried.set(key, (carried.get(key) ?? new Set()).add(symbol));
      }
      return {
        argument,
        symbol,
        isOptional: node.item.executeMapping.optional.has(symbol),
        from: providers.map(placeOf),
      };
    });
    return { ...base, kind: node.kind, pattern: null, takes, gives: [...node.item.saveAs.keys()] };
  });

  const links = compilation.edges.flatMap((edge): PictureLink[] => {
    const from = compilation.node(edge.from);
    const to = compilation.node(edge.to);
    // What holds a flow together: that it begins before its parts, and its retry before the others.
    if (from.kind === 'flow' || from.kind === 'retry' || to.kind === 'end') return [];
    const { decider, deciderDepth = 'ALL', reasons = [] } = edge.metadata;
    const [source, target] = [placeOf(from), placeOf(to)];
    const carries = [...new Set([...reasons, ...(carried.get(`${source} ${target}`) ?? [])])];
    return [{ from: source, to: target, carries, decider: decider === undefined ? null : deciderDepth }];
  });
  const places = new Map(inOrder.filter(isAtom).map((node) => [node.name, placeOf(node)]));
  return { parts, links, places };
}

function nearestProviders(scopes: Scopes, node: PlanNode, symbol: string): PlanNode[] {
  const found: PlanNode[] = [];
  let nearest: number | null = null;
  scopes.visitProviders(node, symbol, (provider, level) => {
    nearest ??= level;
    if (level !== nearest) return true;
    found.push(provider.node);
    return false;
  });
  return found;
}

/** The parts of the innermost flow around two atoms that they are in. */
function apart(one: PlanNode, other: PlanNode): readonly [PlanNode, PlanNode] {
  let [first, second] = [one, other];
  while (first.depth > second.depth && first.parent !== null) first = first.parent;
  while (second.depth > first.depth && second.parent !== null) second = second.parent;
  while (first.parent !== second.parent && first.parent !== null && second.parent !== null) {
    [first, second] = [first.parent, second.parent];
  }
  return [first, second];
}
