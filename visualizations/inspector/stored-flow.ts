import { task } from '../../src/atoms/function-task.js';
import { AlwaysRevert } from '../../src/atoms/retries.js';
import type { Task } from '../../src/atoms/task.js';
import type {
  PlannedAtom,
  PlannedBinding,
  PlannedFlow,
  PlannedPart,
  PlannedSymbol,
} from '../../src/compiler/planned-parts.js';
import { readPlan } from '../../src/compiler/read-plan.js';
import { FlowstateError } from '../../src/errors.js';
import { translateDepth } from '../../src/flows/depth.js';
import type { Flow, FlowItem } from '../../src/flows/flow.js';
import { graph, type GraphFlow } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import type { FlowDetail } from '../../src/persistence/details.js';
import { isReserved, PLAN } from '../../src/storage/reserved.js';

/** It is looked at, and never run. */
const nothing = () => null;

/**
 * The flow of a stored run as its plan tells of it: made of atoms that do nothing, for drawing and looking things up. A
 * run without a plan is its atoms, without an order.
 *
 * @throws {InvalidFormatError} for a plan that cannot be read.
 */
export function flowOfStored({ name, atoms }: FlowDetail): Flow | Task {
  const text = atoms.find((atom) => atom.name === PLAN)?.results;
  if (typeof text === 'string') return flowOfPlan(readPlan(text));
  const own = atoms.filter((atom) => !isReserved(atom.name));
  return unordered(name).addAll(own.map((atom) => task({ name: atom.name, execute: nothing })));
}

/** @param parts - A flow before what is in it. */
export function flowOfPlan(parts: readonly PlannedPart[]): Flow | Task {
  const inside: FlowItem[][] = parts.map(() => []);
  const retries: (AlwaysRevert | undefined)[] = [];
  const made: FlowItem[] = [];
  // What is in a flow is made before the flow.
  for (let number = parts.length - 1; number >= 0; number--) {
    const part = parts[number];
    if (part === undefined) continue;
    if (part.kind === 'retry') {
      retries[part.parent] = new AlwaysRevert(wiring(part));
      continue;
    }
    const item = part.kind === 'flow' ? flowOf(part, number) : task({ ...wiring(part), execute: nothing });
    made[number] = item;
    inside[part.parent]?.unshift(item);
  }
  const [root] = made;
  return root ?? unordered('');

  function flowOf({ name, pattern }: PlannedFlow, number: number): Flow {
    const options = { retry: retries[number] ?? null };
    const items = inside[number] ?? [];
    if (pattern === 'linear') return linear(name, options).addAll(items);
    if (pattern === 'unordered') return unordered(name, options).addAll(items);
    const flow = inferred(() => graph(name, options), items);
    parts.forEach(({ parent, links }, to) => {
      if (parent !== number) return;
      for (const { from, depth } of links) link(flow, made[from], made[to], depth);
    });
    return flow;
  }
}

/**
 * A graph flow with the links that follow from its symbols. Where these are not to be told from the plan alone, as when
 * several provide one, there are only the links that somebody made.
 */
function inferred(make: () => GraphFlow, items: readonly FlowItem[]): GraphFlow {
  try {
    const flow = make();
    flow.addAll(items);
    return flow;
  } catch (error) {
    if (!(error instanceof FlowstateError)) throw error;
    const flow = make();
    flow.addAll(items, { resolveRequires: false, resolveExisting: false });
    return flow;
  }
}

function link(flow: GraphFlow, from: FlowItem | undefined, to: FlowItem | undefined, depth: string | null): void {
  if (from === undefined || to === undefined) return;
  if (depth === null) flow.link(from, to);
  else flow.link(from, to, { decider: () => true, depth: translateDepth(depth) });
}

function wiring({ name, takes, provides, version }: PlannedAtom) {
  const bindings = takes.map(bindingOf);
  const required = bindings.filter(({ isOptional }) => !isOptional);
  return {
    name,
    version,
    requires: required.map(({ argument }) => argument),
    optional: bindings.filter(({ isOptional }) => isOptional).map(({ argument }) => argument),
    // An argument that may be missing goes by its own name always.
    rebind: new Map(required.map(({ argument, symbol }) => [argument, symbol])),
    provides: providesOf(provides),
  };
}

function bindingOf(binding: PlannedBinding) {
  if (typeof binding === 'string') return { argument: binding, symbol: binding, isOptional: false };
  const [argument, symbol, optional] = binding;
  return { argument, symbol, isOptional: optional === 1 };
}

function providesOf(symbols: readonly PlannedSymbol[]): string | string[] | { keys: string[] } | null {
  const parts = symbols.map((symbol) => (typeof symbol === 'string' ? ([symbol, null] as const) : symbol));
  const [first] = parts;
  if (first === undefined) return null;
  if (first[1] === null) return first[0];
  if (typeof first[1] === 'string') return { keys: parts.map(([symbol]) => symbol) };
  return [...parts].sort(([, one], [, other]) => Number(one) - Number(other)).map(([symbol]) => symbol);
}
