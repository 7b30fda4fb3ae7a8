import fc from 'fast-check';
import type { Task } from '../../src/atoms/task.js';
import { type Compilation, isAtom, type PlanNode } from '../../src/compiler/compilation.js';
import { compile } from '../../src/compiler/compile.js';
import { planOf } from '../../src/compiler/plan.js';
import type { Flow } from '../../src/flows/flow.js';
import type { Behaviours } from '../conformance/build-flow.js';
import { buildFlow } from '../conformance/build-flow.js';
import type { CaseNode } from '../conformance/case.js';
import { readCaseDirectory } from '../conformance/case.js';
import { EVERYTHING, generatedCases } from '../properties/generated-cases.js';
import { HOSTILE_NAMES } from './hostile-names.js';

/** Drawn, never run. */
const silent: Behaviours = { execute: () => null, revert: () => null, onFailure: () => 'REVERT', decide: () => true };

/** The flows of all conformance cases that can be made and compiled, each once. */
export function flowsOfCases(): Compilation[] {
  const found = new Map<string, Compilation>();
  for (const entry of readCaseDirectory('test/conformance/cases')) {
    if (!('test' in entry)) continue;
    try {
      const plan = compile(buildFlow(entry.test.flow, silent).root);
      found.set(planOf(plan).text, plan);
    } catch {
      // It is about flows that nobody can make.
    }
  }
  return [...found.values()];
}

/** Flows of all kinds whose parts are called as nobody would call them. */
export const hostileFlows: fc.Arbitrary<Compilation> = fc
  .record({ test: generatedCases(EVERYTHING), names: fc.shuffledSubarray([...HOSTILE_NAMES], { minLength: 20 }) })
  .map(({ test, names }) => {
    const known = new Map<string, string>();
    const rename = (name: string) => {
      const renamed = known.get(name) ?? names[known.size] ?? `${name} end`;
      known.set(name, renamed);
      return renamed;
    };
    return compile(buildFlow(renamed(test.flow, rename), silent).root);
  });

function renamed(node: CaseNode, rename: (name: string) => string): CaseNode {
  if (node.type === 'ref') return node;
  const name = rename(node.name);
  if (node.type === 'task') return { ...node, name };
  const { retry, links } = node;
  return {
    ...node,
    name,
    children: node.children.map((child) => renamed(child, rename)),
    ...(retry === undefined ? {} : { retry: { ...retry, name: rename(retry.name ?? `${node.name}_retry`) } }),
    ...(links === undefined
      ? {}
      : { links: links.map((link) => ({ ...link, from: rename(link.from), to: rename(link.to) })) }),
  };
}

/** The id in pictures of a part of a flow. */
export function idOf(node: PlanNode): string {
  return `n${node.index}`;
}

/** All parts of a flow, without the places where flows end. */
export function partsOf(plan: Compilation): PlanNode[] {
  return plan.nodes.filter(({ kind }) => kind !== 'end');
}

/** Links as flows declare them, between the ids of parts: `n1 n2`, with `-.->` for those that have a decider. */
export function linksOf(plan: Compilation): string[] {
  const ids = new Map<Flow | Task, string>();
  for (const node of partsOf(plan)) if (node.kind !== 'retry') ids.set(node.item, idOf(node));
  return partsOf(plan)
    .flatMap((node) => (isAtom(node) ? [] : [...node.item.links()]))
    .flatMap(({ from, to, metadata }) => {
      const [source, target] = [ids.get(from), ids.get(to)];
      // Of a targeted flow only a part is there.
      if (source === undefined || target === undefined) return [];
      return [`${source} ${metadata.decider === undefined ? '-->' : '-.->'} ${target}`];
    })
    .sort();
}
