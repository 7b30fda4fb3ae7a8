import type { Atom } from '../../src/atoms/atom.js';
import type { ArgumentMapping } from '../../src/atoms/arguments.js';
import { Task } from '../../src/atoms/task.js';
import { Compilation, isAtom } from '../../src/compiler/compilation.js';
import { Scopes } from '../../src/compiler/scopes.js';
import type { Flow } from '../../src/flows/flow.js';

function argumentsOf({ bindings }: ArgumentMapping): unknown {
  return Object.fromEntries(bindings);
}

function mappingOf(atom: Atom): unknown {
  return {
    execute: argumentsOf(atom.executeMapping),
    executeOptional: [...atom.executeMapping.optional],
    revert: argumentsOf(atom.revertMapping),
    revertOptional: [...atom.revertMapping.optional],
    requires: [...atom.requires],
    saves: Object.fromEntries(atom.saveAs),
  };
}

/** A compiled flow as the cases write it. */
export function encodeCompilation(compilation: Compilation): Record<string, unknown> {
  const idOf = (node: Parameters<typeof Compilation.idOf>[0]) => Compilation.idOf(node);
  const { nodes } = compilation;
  const atoms = nodes.filter(isAtom);
  const successors = nodes.map((node) => [idOf(node), compilation.successors(node).map(idOf)] as const);
  const predecessors = nodes.map((node) => [idOf(node), compilation.predecessors(node).map(idOf)] as const);
  const scopes = new Scopes(compilation);
  return {
    nodes: nodes.map((node) => [idOf(node), node.controller?.name ?? null]),
    successors: Object.fromEntries(successors.filter(([, ids]) => ids.length > 0)),
    predecessors: Object.fromEntries(predecessors.filter(([, ids]) => ids.length > 1)),
    scopes: Object.fromEntries(atoms.map((atom) => [atom.name, scopes.levels(atom)])),
    mapping: Object.fromEntries(atoms.map((atom) => [atom.name, mappingOf(atom.item)])),
  };
}

/** The atoms that follow each atom, near and far. Other than ids, in which flows of one name are one, it tells all nodes apart. */
export function atomsAfter(compilation: Compilation): ReadonlyMap<string, ReadonlySet<string>> {
  const after = new Map<string, ReadonlySet<string>>();
  for (const atom of compilation.nodes.filter(isAtom)) {
    const seen = new Set(compilation.successors(atom));
    for (const node of seen) for (const next of compilation.successors(node)) seen.add(next);
    after.set(atom.name, new Set([...seen].filter(isAtom).map(({ name }) => name)));
  }
  return after;
}

/** What each flow and task requires and provides. */
export function encodeSymbols(root: Flow | Task): Record<string, unknown> {
  const symbols = new Map<string, unknown>();
  const pending: (Flow | Task)[] = [root];
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    symbols.set(item.name, { requires: [...item.requires].sort(), provides: [...item.provides].sort() });
    if (!(item instanceof Task)) pending.push(...[...item].reverse());
  }
  return Object.fromEntries(symbols);
}
