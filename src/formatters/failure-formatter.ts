import type { AtomNode, Compilation, PlanNode } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import type { Engine } from '../engines/engine.js';
import type { Failure } from '../failure.js';
import { argumentsOf, ifKnown } from './known-values.js';
import type { TextNode } from './text-tree.js';
import { branchLines } from './text-tree.js';
import { maskValues, valueText } from './value-text.js';

export interface FailureFormatterOptions {
  /** Atoms whose arguments and results are not shown. They are not even read. */
  readonly hideInputsOutputsOf?: Iterable<string> | undefined;
  /** Keys whose values are not shown among arguments: names of arguments, and keys of maps at any depth. */
  readonly maskInputsKeys?: Iterable<string> | undefined;
  /** Keys whose values are not shown in results. */
  readonly maskOutputsKeys?: Iterable<string> | undefined;
  /** Longest text of one atom's values, in characters. @default 400 */
  readonly maxLength?: number | undefined;
}

/** Atoms and flows that are shown: where branches meet again their common past is shown for each. */
const MOST_LINES = 200;

/**
 * A failure as text, with its place in the flow: what came before it, with states, arguments and results.
 *
 * Nothing is shown of arguments and results where the store's codec keeps secrets.
 *
 * @see TaskFlow `formatters.py`, `FailureFormatter`. Differs: predecessors are counted once, however often they are
 * shown, and values are shortened.
 */
export class FailureFormatter {
  readonly #hidden: ReadonlySet<string>;
  readonly #maskedInputs: ReadonlySet<string>;
  readonly #maskedOutputs: ReadonlySet<string>;
  readonly #maxLength: number;

  constructor(
    private readonly engine: Engine,
    {
      hideInputsOutputsOf = [],
      maskInputsKeys = [],
      maskOutputsKeys = [],
      maxLength = 400,
    }: FailureFormatterOptions = {},
  ) {
    this.#hidden = new Set(hideInputsOutputsOf);
    this.#maskedInputs = new Set(maskInputsKeys);
    this.#maskedOutputs = new Set(maskOutputsKeys);
    this.#maxLength = maxLength;
  }

  /**
   * What there is to say beside the error itself: the failure with its stack where the error is no longer live, and what
   * came before the atom while it is still to be executed, hence not after its failure was resolved.
   *
   * @param matches - Finds the atom that failed.
   * @returns text that may be empty.
   */
  format(failure: Failure, matches: (node: AtomNode) => boolean): string {
    const details = failure.isLive ? [] : [failure.format({ stack: true })];
    const { compilation, storage } = this.engine;
    const atom = compilation?.atoms.find(matches);
    if (compilation !== null && atom !== undefined && storage.find(atom.name)?.intention === 'EXECUTE') {
      details.push(...this.#predecessors(compilation, atom));
    }
    return details.join('\n');
  }

  #predecessors(compilation: Compilation, atom: AtomNode): string[] {
    const names = new Map<PlanNode, string>();
    const describe = (node: PlanNode) => {
      const known = names.get(node) ?? this.#describe(node);
      names.set(node, known);
      return known;
    };
    const count = predecessorsOf(compilation, atom).size;
    const shown = treeOf(compilation, atom, describe);
    const lines = branchLines(shown.nodes);
    if (shown.isCut) lines.push(`… and more: ${MOST_LINES} lines are shown`);
    return [`${count} predecessors (most recent first):`, ...lines.map((line) => `  ${line}`)];
  }

  #describe(node: PlanNode): string {
    if (!isAtom(node)) return `Flow '${node.name}'`;
    const { storage } = this.engine;
    const { name } = node;
    const detail = storage.find(name);
    const facts: Record<string, unknown> = { intention: detail?.intention, state: detail?.state };
    if (!this.#hidden.has(name) && storage.codec?.keepsSecrets !== true) {
      const requires = argumentsOf(this.engine, node.item);
      if (requires !== undefined) facts['requires'] = maskValues(requires, this.#maskedInputs);
      Object.assign(
        facts,
        ifKnown(() => ({ provides: maskValues(storage.get(name), this.#maskedOutputs) })),
      );
    }
    return `Atom '${name}' ${valueText(facts, { maxLength: this.#maxLength })}`;
  }
}

/** Those directly before a node. Where a flow ends is no place of its own: what it ends with is. */
function directlyBefore(compilation: Compilation, node: PlanNode): PlanNode[] {
  const found: PlanNode[] = [];
  const waiting = compilation.predecessors(node).reverse();
  for (let before = waiting.pop(); before !== undefined; before = waiting.pop()) {
    if (before.kind === 'end') waiting.push(...compilation.predecessors(before).reverse());
    else found.push(before);
  }
  return found;
}

function predecessorsOf(compilation: Compilation, atom: AtomNode): Set<PlanNode> {
  const found = new Set<PlanNode>([atom]);
  for (const node of found) for (const before of directlyBefore(compilation, node)) found.add(before);
  found.delete(atom);
  return found;
}

interface Growing extends TextNode {
  readonly children: Growing[];
}

/** The nearest are shown first, so that what is left out is what is furthest away. */
function treeOf(
  compilation: Compilation,
  atom: AtomNode,
  describe: (node: PlanNode) => string,
): { readonly nodes: readonly TextNode[]; readonly isCut: boolean } {
  const nodes: Growing[] = [];
  const queue: { readonly node: PlanNode; readonly into: Growing[] }[] = [{ node: atom, into: nodes }];
  let count = 0;
  for (const { node, into } of queue) {
    for (const before of directlyBefore(compilation, node)) {
      if (count === MOST_LINES) return { nodes, isCut: true };
      count += 1;
      const grown: Growing = { text: describe(before), children: [] };
      into.push(grown);
      queue.push({ node: before, into: grown.children });
    }
  }
  return { nodes, isCut: false };
}
