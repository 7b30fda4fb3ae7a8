import { createHash } from 'node:crypto';
import type { ArgumentMapping } from '../atoms/arguments.js';
import type { SaveAs } from '../atoms/provides.js';
import { InvalidFormatError } from '../errors.js';
import type { Pattern } from '../flows/flow.js';
import type { Compilation, Edge, PlanNode } from './compilation.js';
import { isAtom } from './compilation.js';
import { readFirstForm } from './plan-first-form.js';
import type { PlannedBinding, PlannedLink, PlannedPart, PlannedSymbol } from './planned-parts.js';
import { corrupted, isNumber, KINDS, PATTERNS, USUAL_VERSION } from './planned-parts.js';

/** The form in which plans are written now. */
const FORMAT = 2;
const FIRST_FORMAT = 1;

/** What a compiled flow is, as far as a run that was stored can be told from it (D20). */
export interface Plan {
  /** Of the whole plan: two flows with the same one are the same to a run. */
  readonly fingerprint: string;
  /** All of it, to list what is not the same. */
  readonly text: string;
}

/** What stands for a usual version, for a symbol that is called like its argument, and for all lists that are empty. */
const USUAL = 0;
/** Instead of how much `revert` takes: the same as `execute`. */
const SAME = -1;
/** Instead of a part of a result: the whole. */
const WHOLE = -1;
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
  fields.push(version === USUAL_VERSION ? USUAL : version);
  addBindings(fields, executeMapping);
  if (isSame) fields.push(SAME);
  else addBindings(fields, revertMapping);
  addProvides(fields, saveAs);
  if (executeMapping.optional.size + revertMapping.optional.size + links.length === 0 && inject === undefined) {
    fields.push(USUAL);
    return;
  }
  fields.push(1);
  addNames(fields, optionalArguments(executeMapping));
  addNames(fields, isSame ? NONE : optionalArguments(revertMapping));
  addNames(fields, inject === undefined ? NONE : Object.keys(inject));
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

/**
 * The parts of a plan that was written down.
 *
 * @throws {InvalidFormatError} for anything else, and for a plan that another flowstate wrote in another form.
 */
export function readPlan(text: string): readonly PlannedPart[] {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (cause) {
    throw new InvalidFormatError('The plan of the run cannot be read', { cause });
  }
  if (Array.isArray(fields)) return new PlanReader(fields).parts();
  if (typeof fields !== 'object' || fields === null || !('format' in fields) || !('parts' in fields)) {
    throw corrupted('it', fields);
  }
  if (fields.format !== FIRST_FORMAT) throw unknownFormat(fields.format);
  return readFirstForm(fields);
}

function unknownFormat(format: unknown): InvalidFormatError {
  return new InvalidFormatError(`The plan of the run has the format ${String(format)}, which is not known here`);
}

/** Reads what `addPart` has added. */
class PlanReader {
  #at = 0;

  constructor(private readonly fields: readonly unknown[]) {}

  parts(): readonly PlannedPart[] {
    const format = this.#next();
    if (format !== FORMAT) throw unknownFormat(format);
    const parts: PlannedPart[] = [];
    while (this.#at < this.fields.length) {
      const part = this.#part();
      const isPlaced = parts.length === 0 ? part.parent === -1 : parts[part.parent]?.kind === 'flow';
      if (!isPlaced) throw corrupted(`the place of part ${parts.length}`, part.parent);
      parts.push(part);
    }
    return parts;
  }

  #part(): PlannedPart {
    const kind = this.#oneOf(KINDS, 'a kind');
    const name = this.#text('a name');
    const parent = this.#number('a place');
    if (kind === 'flow')
      return { kind, name, parent, pattern: this.#oneOf(PATTERNS, 'a pattern'), links: this.#links() };
    const version = this.#textOr(USUAL_VERSION, 'a version');
    const takes = this.#bindings();
    const toRevert = this.#isNext(SAME) ? null : this.#bindings();
    const provides = this.#list('what is provided', () => this.#provided());
    const hasMore = !this.#isNext(USUAL);
    if (hasMore && !this.#isNext(1)) throw corrupted('what is unusual', this.#next());
    const names = () => (hasMore ? this.#list('a list of names', () => this.#text('a name')) : []);
    const [optional, optionalToRevert, injects] = [names(), names(), names()];
    return {
      ...{ kind, name, parent, version, provides, injects },
      takes: planned(takes, optional),
      takesToRevert: toRevert === null ? planned(takes, optional) : planned(toRevert, optionalToRevert),
      links: hasMore ? this.#links() : [],
    };
  }

  #bindings(): (readonly [argument: string, symbol: string])[] {
    return this.#list('what is taken', () => {
      const argument = this.#text('an argument');
      return [argument, this.#textOr(argument, 'a symbol')];
    });
  }

  #provided(): PlannedSymbol {
    const symbol = this.#text('a symbol');
    const part = this.#next();
    if (part === WHOLE) return symbol;
    if (typeof part !== 'string' && !isNumber(part)) throw corrupted('a part of a result', part);
    return [symbol, part];
  }

  #links(): PlannedLink[] {
    return this.#list('a list of links', () => {
      const from = this.#number('where a link comes from');
      return { from, depth: this.#isNext(USUAL) ? null : this.#text('a depth') };
    });
  }

  #list<Item>(what: string, read: () => Item): Item[] {
    const length = this.#number(`the length of ${what}`);
    if (length < 0 || length > this.fields.length) throw corrupted(`the length of ${what}`, length);
    return Array.from({ length }, read);
  }

  #oneOf<Name extends string>(names: readonly Name[], what: string): Name {
    const number = this.#number(what);
    const name = names[number];
    if (name === undefined) throw corrupted(what, number);
    return name;
  }

  #textOr(usual: string, what: string): string {
    return this.#isNext(USUAL) ? usual : this.#text(what);
  }

  #text(what: string): string {
    const field = this.#next();
    if (typeof field !== 'string') throw corrupted(what, field);
    return field;
  }

  #number(what: string): number {
    const field = this.#next();
    if (!isNumber(field)) throw corrupted(what, field);
    return field;
  }

  /** Goes past the next field if it is a certain one. */
  #isNext(field: number): boolean {
    const isIt = this.fields[this.#at] === field;
    if (isIt) this.#at += 1;
    return isIt;
  }

  #next(): unknown {
    return this.fields[this.#at++];
  }
}

function planned(bindings: readonly (readonly [string, string])[], optional: readonly string[]): PlannedBinding[] {
  return bindings.map(([argument, symbol]) => {
    if (optional.includes(argument)) return [argument, symbol, 1];
    return argument === symbol ? argument : [argument, symbol];
  });
}
