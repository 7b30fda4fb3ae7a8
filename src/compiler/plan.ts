import { createHash } from 'node:crypto';
import type { ArgumentMapping } from '../atoms/arguments.js';
import type { SaveAs } from '../atoms/provides.js';
import type { Pattern } from '../flows/flow.js';
import type { LinkMetadata } from '../flows/link.js';
import type { Compilation, PlanNode } from './compilation.js';
import { isAtom } from './compilation.js';
import type { PlannedLink } from './planned-parts.js';
import { FORMAT, KINDS, PATTERNS, SAME, USUAL, USUAL_VERSION, WHOLE } from './planned-parts.js';

/** What a compiled flow is, as far as a run that was stored can be told from it (D20). */
export interface Plan {
  /** Of the whole plan: two flows with the same one are the same to a run. */
  readonly fingerprint: string;
  /** All of it, to list what is not the same. */
  readonly text: string;
}

const NONE: readonly never[] = [];

/**
 * Writes down the plan of a compiled flow: which atoms, of which kind and version, where, and how they are wired.
 *
 * The order in which the children of an unordered or a graph flow were added is no part of it, nor are functions: of
 * a decider it is known that there is one, and its depth. Takes time for each node and edge once.
 */
export function planOf(compilation: Compilation): Plan {
  const order = partsInOrder(compilation.nodes);
  const numbers = new Int32Array(compilation.nodes.length).fill(-1);
  for (const [number, { index }] of order.entries()) numbers[index] = number;
  const links = linksByTarget(compilation, numbers);
  const fields: Field[] = [FORMAT];
  for (const node of order) addPart(fields, node, numbers, links.get(node.index) ?? NONE);
  const text = JSON.stringify(fields);
  return { text, fingerprint: createHash('sha256').update(text).digest('hex') };
}

/** All parts, a flow before its children. Children of a linear flow are in their order, all others by name. */
function partsInOrder(nodes: readonly PlanNode[]): PlanNode[] {
  const byPosition: PlanNode[] = [];
  for (const node of nodes) if (node.kind !== 'end') byPosition[node.position] = node;
  /** By the index of their flow. */
  const children: (PlanNode[] | undefined)[] = [];
  for (const node of byPosition) if (node.parent !== null) (children[node.parent.index] ??= []).push(node);
  let firstAtoms: readonly (string | undefined)[] | undefined;
  const byName = (one: PlanNode, other: PlanNode) => {
    // The retry comes first, wherever its name would stand.
    if (one.kind === 'retry') return -1;
    if (other.kind === 'retry') return 1;
    if (one.name !== other.name) return compareText(one.name, other.name);
    // Flows may share a name; atoms do not.
    firstAtoms ??= firstAtomNames(byPosition);
    return compareText(firstAtoms[one.index] ?? '', firstAtoms[other.index] ?? '');
  };
  const [root] = byPosition;
  const order: PlanNode[] = [];
  const stack = root === undefined ? [] : [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    order.push(node);
    const inside = node.kind === 'flow' ? children[node.index] : undefined;
    if (inside === undefined || node.kind !== 'flow') continue;
    if (node.item.pattern !== 'linear') inside.sort(byName);
    for (let at = inside.length - 1; at >= 0; at--) {
      const child = inside[at];
      if (child !== undefined) stack.push(child);
    }
  }
  return order;
}

/** By index, of each part the name that sorts first among the atoms in it. */
function firstAtomNames(byPosition: readonly PlanNode[]): readonly (string | undefined)[] {
  const first: (string | undefined)[] = [];
  for (const { index, parent, ...node } of byPosition.toReversed()) {
    const own = node.kind === 'flow' ? first[index] : (first[index] = node.name);
    if (own === undefined || parent === null) continue;
    const known = first[parent.index];
    if (known === undefined || own < known) first[parent.index] = own;
  }
  return first;
}

/** The links that somebody made, by the index of the node that they lead to. */
function linksByTarget(compilation: Compilation, numbers: Int32Array): ReadonlyMap<number, PlannedLink[]> {
  const { nodes } = compilation;
  const links = new Map<number, PlannedLink[]>();
  const made = compilation.edgesWith(isMade);
  if (made.length === 0) return links;
  const entries = new Map(nodes.filter(({ kind }) => kind === 'flow').map(({ position, index }) => [position, index]));
  for (const { from, to, metadata } of made) {
    const source = nodes[from];
    if (source === undefined) continue;
    // A link from a flow leaves at its end, which stands for the same part as its entry.
    const number = numbers[source.kind === 'end' ? (entries.get(source.position) ?? -1) : from] ?? -1;
    const depth = metadata.decider === undefined ? null : (metadata.deciderDepth ?? 'ALL');
    const known = links.get(to);
    if (known === undefined) links.set(to, [{ from: number, depth }]);
    else known.push({ from: number, depth });
  }
  for (const each of links.values()) each.sort((one, other) => one.from - other.from);
  return links;
}

function isMade({ manual, decider }: LinkMetadata): boolean {
  return manual === true || decider !== undefined;
}

type Field = string | number;

/**
 * Adds the fields of a part. All parts are one list of texts and numbers: that is soon written, however many they are.
 *
 * Every part: kind, name, parent. A flow: pattern, links. An atom: version, what it takes, what it takes to be reverted,
 * what it provides; then 0, or 1, the arguments that may be missing, to execute and to revert, what it injects, and links.
 * A list is its length and what is in it: of bindings argument and symbol, of links where from and the depth.
 */
function addPart(fields: Field[], node: PlanNode, numbers: Int32Array, links: readonly PlannedLink[]): void {
  const parent = node.parent === null ? -1 : (numbers[node.parent.index] ?? -1);
  fields.push(node.kind === 'end' ? 0 : KINDS.indexOf(node.kind), node.name, parent);
  if (!isAtom(node)) {
    fields.push(patternOf(node.item.pattern));
    addLinks(fields, links);
    return;
  }
  const { version, executeMapping, revertMapping, saveAs, inject } = node.item;
  const isSame = revertMapping === executeMapping;
  const injects = inject === undefined ? NONE : Object.keys(inject);
  fields.push(version === USUAL_VERSION ? USUAL : version);
  addBindings(fields, executeMapping);
  if (isSame) fields.push(SAME);
  else addBindings(fields, revertMapping);
  addProvides(fields, saveAs);
  if (executeMapping.optional.size + revertMapping.optional.size + injects.length + links.length === 0) {
    fields.push(USUAL);
    return;
  }
  fields.push(1);
  addNames(fields, optionalArguments(executeMapping));
  addNames(fields, isSame ? NONE : optionalArguments(revertMapping));
  addNames(fields, injects);
  addLinks(fields, links);
}

function addBindings(fields: Field[], { bindings }: ArgumentMapping): void {
  fields.push(bindings.size);
  const add = (symbol: string, argument: string) => fields.push(argument, symbol === argument ? USUAL : symbol);
  if (bindings.size < 2) bindings.forEach(add);
  else for (const [argument, symbol] of [...bindings].sort(byFirst)) add(symbol, argument);
}

function addProvides(fields: Field[], saveAs: SaveAs): void {
  fields.push(saveAs.size);
  const add = (part: number | string | null, symbol: string) => fields.push(symbol, part ?? WHOLE);
  if (saveAs.size < 2) saveAs.forEach(add);
  else for (const [symbol, part] of [...saveAs].sort(byFirst)) add(part, symbol);
}

function optionalArguments({ bindings, optional }: ArgumentMapping): string[] {
  return [...bindings].filter(([, symbol]) => optional.has(symbol)).map(([argument]) => argument);
}

function addNames(fields: Field[], names: readonly string[]): void {
  fields.push(names.length, ...names.toSorted(compareText));
}

function addLinks(fields: Field[], links: readonly PlannedLink[]): void {
  fields.push(links.length);
  for (const { from, depth } of links) fields.push(from, depth ?? USUAL);
}

function patternOf(pattern: Pattern): number {
  return PATTERNS.indexOf(pattern === 'targeted' ? 'graph' : pattern);
}

function byFirst([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return compareText(one, other);
}

/** By code unit: the same everywhere. */
function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
