import { createHash } from 'node:crypto';
import type { ArgumentMapping } from '../atoms/arguments.js';
import type { Atom } from '../atoms/atom.js';
import { InvalidFormatError } from '../errors.js';
import type { Pattern } from '../flows/flow.js';
import type { Compilation, Edge, PlanNode } from './compilation.js';
import { isAtom } from './compilation.js';

/** The form in which plans are written now. */
const FORMAT = 1;

/** What a compiled flow is, as far as a run that was stored can be told from it (D20). */
export interface Plan {
  /** Of the whole plan: two flows with the same one are the same to a run. */
  readonly fingerprint: string;
  /** All of it, to list what is not the same. */
  readonly text: string;
}

/** An argument and its symbol; where they are one, its name. An argument that may be missing has a third part. */
export type PlannedBinding = string | readonly [argument: string, symbol: string, optional?: 1];

/** A symbol, and which part of the result it is; where it is the whole, its name. */
export type PlannedSymbol = string | readonly [symbol: string, part: number | string];

/** A link that somebody made, and how far its decider reaches; null where it has none. */
export interface PlannedLink {
  /** The number of the part that it comes from. */
  readonly from: number;
  readonly depth: string | null;
}

interface PlannedBase {
  readonly name: string;
  /** The number of the flow that it is a direct part of; -1 at the root. */
  readonly parent: number;
  readonly links: readonly PlannedLink[];
}

export interface PlannedFlow extends PlannedBase {
  readonly kind: 'flow';
  /** A targeted flow is a graph of what takes part. */
  readonly pattern: Exclude<Pattern, 'targeted'>;
}

export interface PlannedAtom extends PlannedBase {
  readonly kind: 'task' | 'retry';
  readonly version: string;
  /** What `execute` takes. */
  readonly takes: readonly PlannedBinding[];
  /** What `revert` takes. */
  readonly takesToRevert: readonly PlannedBinding[];
  readonly provides: readonly PlannedSymbol[];
  /** The symbols that the atom brings along; their values are no part of the plan. */
  readonly injects: readonly string[];
}

/** A part of a plan. Parts are numbered by their place: a flow before what is in it. */
export type PlannedPart = PlannedFlow | PlannedAtom;

const KINDS = ['flow', 'task', 'retry'] as const;
const PATTERNS = ['linear', 'unordered', 'graph'] as const;
const USUAL_VERSION = '1.0';
/** What `revert` takes where it takes nothing and `execute` does; left out, it takes the same. */
const NOTHING = 1;
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
  const parts = order.map((node) => encodePart(node, numbers, links.get(node.index) ?? NONE));
  const text = JSON.stringify({ format: FORMAT, parts });
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
function linksByTarget({ edges, nodes }: Compilation, numbers: Int32Array): ReadonlyMap<number, PlannedLink[]> {
  const links = new Map<number, PlannedLink[]>();
  const made = edges.filter(isMade);
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

function isMade({ metadata }: Edge): boolean {
  return metadata.manual === true || metadata.decider !== undefined;
}

/**
 * A part as a list: what is as usual at its end is left out.
 *
 * A flow: 0, name, parent, pattern, links. An atom: 1 or 2, name, parent, version, what it takes, what it takes to be
 * reverted, what it provides, what it injects, links.
 */
function encodePart(node: PlanNode, numbers: Int32Array, links: readonly PlannedLink[]): unknown[] {
  const parent = node.parent === null ? -1 : (numbers[node.parent.index] ?? -1);
  const encoded: unknown[] = [node.kind === 'end' ? 0 : KINDS.indexOf(node.kind), node.name, parent];
  if (isAtom(node)) addWiring(encoded, node.item);
  else encoded.push(patternOf(node.item.pattern));
  if (links.length > 0) encoded.push(links.map(({ from, depth }) => (depth === null ? from : [from, depth])));
  while (isUsual(encoded[encoded.length - 1])) encoded.pop();
  return encoded;
}

function isUsual(value: unknown): boolean {
  return value === 0 || (Array.isArray(value) && value.length === 0);
}

function addWiring(encoded: unknown[], { version, executeMapping, revertMapping, saveAs, inject }: Atom): void {
  const takes = bindingsOf(executeMapping);
  const takesToRevert = revertMapping === executeMapping ? takes : bindingsOf(revertMapping);
  const provides: PlannedSymbol[] = [];
  saveAs.forEach((part, symbol) => provides.push(part === null ? symbol : [symbol, part]));
  encoded.push(
    version === USUAL_VERSION ? 0 : version,
    takes,
    isSameText(takes, takesToRevert) ? 0 : takesToRevert.length === 0 ? NOTHING : takesToRevert,
    provides.length < 2 ? provides : provides.sort(byFirst),
    inject === undefined ? NONE : Object.keys(inject).sort(compareText),
  );
}

function bindingsOf({ bindings, optional }: ArgumentMapping): PlannedBinding[] {
  const written: PlannedBinding[] = [];
  bindings.forEach((symbol, argument) => {
    if (optional.has(symbol)) written.push([argument, symbol, 1]);
    else written.push(argument === symbol ? argument : [argument, symbol]);
  });
  return written.length < 2 ? written : written.sort(byFirst);
}

function patternOf(pattern: Pattern): number {
  return PATTERNS.indexOf(pattern === 'targeted' ? 'graph' : pattern);
}

function byFirst(one: string | readonly unknown[], other: string | readonly unknown[]): number {
  const first = (written: string | readonly unknown[]) => (typeof written === 'string' ? written : String(written[0]));
  return compareText(first(one), first(other));
}

/** By code unit: the same everywhere. */
function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function isSameText(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/**
 * The parts of a plan that was written down.
 *
 * @throws {InvalidFormatError} for anything else, and for a plan that a newer flowstate wrote.
 */
export function readPlan(text: string): readonly PlannedPart[] {
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch (cause) {
    throw new InvalidFormatError('The plan of the run cannot be read', { cause });
  }
  if (typeof plan !== 'object' || plan === null || !('format' in plan) || !('parts' in plan))
    throw corrupted('it', plan);
  if (plan.format !== FORMAT) {
    throw new InvalidFormatError(`The plan of the run has the format ${String(plan.format)}, which is not known here`);
  }
  const parts: PlannedPart[] = [];
  for (const [number, part] of listOf(plan.parts, 'the list of parts').entries()) {
    const [kind, ...fields] = listOf(part, `part ${number}`);
    const decoded = decodePart(KINDS[Number(kind)], fields);
    const isPlaced = number === 0 ? decoded?.parent === -1 : parts[decoded?.parent ?? -1]?.kind === 'flow';
    if (decoded === null || !isPlaced) throw corrupted(`part ${number}`, part);
    parts.push(decoded);
  }
  return parts;
}

function decodePart(kind: (typeof KINDS)[number] | undefined, fields: readonly unknown[]): PlannedPart | null {
  const [name, parent = 0] = fields;
  if (kind === undefined || typeof name !== 'string' || !isNumber(parent)) return null;
  if (kind === 'flow') {
    const pattern = PATTERNS[Number(fields[2] ?? 0)];
    return pattern === undefined ? null : { kind, name, parent, pattern, links: linksIn(fields[3]) };
  }
  const [, , version, takes, takesToRevert, provides, injects, links] = fields;
  return {
    kind,
    name,
    parent,
    version: typeof version === 'string' ? version : USUAL_VERSION,
    takes: namesIn(takes),
    takesToRevert: takesToRevert === NOTHING ? [] : namesIn(Array.isArray(takesToRevert) ? takesToRevert : takes),
    provides: namesIn(provides),
    injects: namesIn<string>(injects),
    links: linksIn(links),
  };
}

function linksIn(field: unknown): PlannedLink[] {
  return listOf(field ?? [], 'a list of links').map((link) => {
    const [from, depth] = isNumber(link) ? [link, null] : listOf(link, 'a link');
    if (!isNumber(from) || !(depth === null || typeof depth === 'string')) throw corrupted('a link', link);
    return { from, depth };
  });
}

/** Names, or lists that begin with one. */
function namesIn<Name extends PlannedBinding | PlannedSymbol>(field: unknown): Name[] {
  const names = listOf(field ?? [], 'a list of names');
  for (const name of names) {
    if (typeof (Array.isArray(name) ? (name as unknown[])[0] : name) !== 'string') throw corrupted('a name', name);
  }
  return names as Name[];
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw corrupted(what, value);
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function corrupted(what: string, value: unknown): InvalidFormatError {
  const got = JSON.stringify(value) as string | undefined;
  return new InvalidFormatError(
    `The plan of the run is corrupted: ${what} cannot be ${got?.slice(0, 80) ?? 'missing'}`,
  );
}
