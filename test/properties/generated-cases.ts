import fc from 'fast-check';
import type { CaseNode, ConformanceCase, FlowNode, LinkSpec, RetryNode, TaskNode } from '../conformance/case.js';

/** What may be in generated flows. */
export interface Ingredients {
  /** Whether tasks may fail, and how many of them: none, one, or any. */
  readonly failures: 'none' | 'one' | 'any';
  readonly revertFailures: boolean;
  readonly retries: boolean;
  readonly deciders: boolean;
}

export const EVERYTHING: Ingredients = { failures: 'any', revertFailures: true, retries: true, deciders: true };

const PATTERNS = ['linear', 'unordered', 'graph'] as const;
/** Graphs are where most can go wrong. */
const DRAWN: readonly (typeof PATTERNS)[number][] = [...PATTERNS, 'graph', 'graph'];
const SYMBOLS = ['x', 'y'] as const;
const MOST_CHILDREN = 5;
const DEEPEST = 3;

interface TaskSeed {
  readonly kind: 'task';
  readonly priority: number;
  /** How many of its executions fail, from the first; 9 stands for all. */
  readonly failing: number;
  readonly revertFails: boolean;
  readonly provides: string | null;
  readonly asks: readonly string[];
}

interface LinkSeed {
  readonly from: number;
  readonly to: number;
  readonly decider: { readonly answers: readonly boolean[]; readonly depth: string } | null;
}

interface FlowSeed {
  readonly kind: 'flow';
  readonly pattern: (typeof PATTERNS)[number];
  readonly retry: Omit<RetryNode, 'name'> | null;
  readonly children: readonly NodeSeed[];
  readonly links: readonly LinkSeed[];
}

type NodeSeed = TaskSeed | FlowSeed;

/** null, or something else, as often. (`fc.option` gives null more rarely the higher its `freq`, which reads badly.) */
function maybe<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> {
  return fc.oneof(fc.constant(null), arbitrary);
}

function taskSeed({ failures, revertFailures }: Ingredients): fc.Arbitrary<TaskSeed> {
  const rarely = fc.oneof({ weight: 15, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
  return fc.record({
    kind: fc.constant('task' as const),
    priority: fc.nat(2),
    failing:
      failures === 'any'
        ? fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 1, 2, 9) })
        : fc.constant(0),
    revertFails: revertFailures ? rarely : fc.constant(false),
    provides: fc.constantFrom(null, ...SYMBOLS),
    asks: fc.subarray([...SYMBOLS]),
  });
}

function retrySeed(): fc.Arbitrary<Omit<RetryNode, 'name'>> {
  const provides = fc
    .constantFrom(undefined, ...SYMBOLS)
    .map((symbol) => (symbol === undefined ? {} : { provides: symbol }));
  const kind: fc.Arbitrary<Omit<RetryNode, 'name'>> = fc.oneof(
    fc.constant({ kind: 'AlwaysRevert' as const }),
    fc.constant({ kind: 'AlwaysRevertAll' as const }),
    fc.record({ kind: fc.constant('Times' as const), attempts: fc.nat(3), revertAll: fc.boolean() }),
    fc.record({ kind: fc.constant('ForEach' as const), values: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }) }),
  );
  return fc.tuple(kind, provides).map(([one, other]) => ({ ...one, ...other }));
}

function linkSeed({ deciders }: Ingredients): fc.Arbitrary<LinkSeed> {
  const decider = fc.record({
    answers: fc.array(fc.boolean(), { minLength: 1, maxLength: 2 }),
    depth: fc.constantFrom('ALL', 'FLOW', 'NEIGHBORS', 'ATOM'),
  });
  return fc
    .record({
      from: fc.nat(MOST_CHILDREN - 2),
      span: fc.integer({ min: 1, max: MOST_CHILDREN - 1 }),
      decider: deciders ? maybe(decider) : fc.constant(null),
    })
    .map(({ from, span, ...others }) => ({ from, to: from + span, ...others }));
}

function flowSeed(ingredients: Ingredients): fc.Arbitrary<FlowSeed> {
  const task = taskSeed(ingredients);
  const atDepth = (depth: number): fc.Arbitrary<FlowSeed> => {
    const child: fc.Arbitrary<NodeSeed> =
      depth >= DEEPEST ? task : fc.oneof({ weight: 2, arbitrary: task }, { weight: 1, arbitrary: atDepth(depth + 1) });
    return fc.record({
      kind: fc.constant('flow' as const),
      pattern: fc.constantFrom(...DRAWN),
      retry: ingredients.retries ? maybe(retrySeed()) : fc.constant(null),
      children: fc.array(child, { minLength: depth === 1 ? 2 : 0, maxLength: MOST_CHILDREN, size: 'max' }),
      links: fc.array(linkSeed(ingredients), { minLength: 1, maxLength: 6, size: 'max' }),
    });
  };
  return atDepth(1);
}

/** Gives every part of a flow a name of its own: `t1`, `f2`, `r2`. */
class Naming {
  #tasks = 0;
  #flows = 0;

  flow(seed: FlowSeed): FlowNode {
    const number = (this.#flows += 1);
    const children = seed.children.map((child) => this.node(child));
    const links = new Map<string, LinkSpec>();
    if (seed.pattern === 'graph') {
      for (const { from, to, decider } of seed.links) {
        const [source, target] = [children[from], children[to]];
        if (source === undefined || target === undefined || source.type === 'ref' || target.type === 'ref') continue;
        links.set(`${from} ${to}`, {
          from: source.name,
          to: target.name,
          ...(decider === null
            ? {}
            : { decider: { kind: 'sequence' as const, values: [...decider.answers] }, deciderDepth: decider.depth }),
        });
      }
    }
    return {
      type: 'flow',
      pattern: seed.pattern,
      name: `f${number}`,
      children,
      ...(seed.retry === null ? {} : { retry: { ...seed.retry, name: `r${number}` } }),
      ...(links.size === 0 ? {} : { links: [...links.values()] }),
    };
  }

  node(seed: NodeSeed): CaseNode {
    return seed.kind === 'flow' ? this.flow(seed) : this.task(seed);
  }

  task({ priority, failing, revertFails, provides, asks }: TaskSeed): TaskNode {
    const number = (this.#tasks += 1);
    const name = `t${number}`;
    const fails = { raise: { type: 'RuntimeError' as const, message: `${name} failed` } };
    const works = { sumArgs: number };
    const failingCalls = Array.from({ length: Math.min(failing, 2) }, () => fails);
    return {
      type: 'task',
      name,
      priority,
      ...(provides === null ? {} : { provides }),
      optionalArgs: Object.fromEntries(asks.map((symbol) => [symbol, 0])),
      execute: failing === 9 ? [fails] : [...failingCalls, works],
      revert: revertFails
        ? [{ raise: { type: 'ValueError', message: `${name} cannot be undone` } }]
        : [{ return: `${name} undone` }],
    };
  }
}

function tasksOf(node: CaseNode): string[] {
  if (node.type === 'task') return [node.name];
  return node.type === 'flow' ? node.children.flatMap(tasksOf) : [];
}

/** The flow with one of its tasks failing always. */
function withFailing(node: CaseNode, name: string): CaseNode {
  if (node.type === 'flow') return { ...node, children: node.children.map((child) => withFailing(child, name)) };
  if (node.type !== 'task' || node.name !== name) return node;
  return { ...node, execute: [{ raise: { type: 'RuntimeError', message: `${name} failed` } }] };
}

/** A case in the conformance format that runs a flow once, with nothing expected of it. */
export function caseOf(flow: CaseNode, { deferReverts = true }: { deferReverts?: boolean } = {}): ConformanceCase {
  return {
    name: 'generated',
    group: 'generated',
    origin: 'own',
    features: [],
    pins: [],
    orderSensitivity: 'none',
    threadsAgree: false,
    flow,
    engine: { deferReverts },
    runs: [{}],
    expected: { build: { ok: true } },
  };
}

export function generatedCases(ingredients: Ingredients): fc.Arbitrary<ConformanceCase> {
  return fc
    .record({ seed: flowSeed(ingredients), deferReverts: fc.boolean(), pick: fc.nat() })
    .map(({ seed, deferReverts, pick }): ConformanceCase => {
      const built = new Naming().flow(seed);
      const names = tasksOf(built);
      const victim = ingredients.failures === 'one' ? names[pick % Math.max(1, names.length)] : undefined;
      return caseOf(victim === undefined ? built : withFailing(built, victim), { deferReverts });
    });
}

/** Seeds for the order in which tasks of a parallel engine come to their ends. */
export const interleavings = fc.integer({ min: 0, max: 0xffff_ffff });
