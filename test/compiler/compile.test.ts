import { alg } from '@dagrejs/graphlib';
import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { times } from '../../src/atoms/retries.js';
import type { PlanNode } from '../../src/compiler/compilation.js';
import { Compilation } from '../../src/compiler/compilation.js';
import { compile } from '../../src/compiler/compile.js';
import { Scopes } from '../../src/compiler/scopes.js';
import { load } from '../../src/engines/load.js';
import { DependencyError, DuplicateError, NotFoundError } from '../../src/errors.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph, targeted } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import type { Task } from '../../src/atoms/task.js';

interface Symbols {
  readonly requires?: readonly string[];
  readonly provides?: string;
}

function t(name: string, { requires, provides }: Symbols = {}): Task {
  return task({ name, requires, provides, execute: () => null });
}

function r(name: string) {
  return times({ name });
}

function nameOf(node: PlanNode): string {
  return node.kind === 'end' ? `${node.name}[$]` : node.name;
}

function nodesOf(compilation: Compilation): string {
  return compilation.nodes.map(nameOf).join(', ');
}

/** `a→b I R manual reasons{x}`, sorted. */
function edgesOf(compilation: Compilation): string[] {
  return compilation.nodes
    .flatMap((from) =>
      compilation.successors(from).map((to) => {
        const link = compilation.link(from, to);
        const flags = [
          link?.invariant === true ? ' I' : '',
          link?.retry === true ? ' R' : '',
          link?.manual === true ? ' manual' : '',
          link?.reasons === undefined ? '' : ` reasons{${[...link.reasons].join(',')}}`,
        ];
        return `${nameOf(from)}→${nameOf(to)}${flags.join('')}`;
      }),
    )
    .sort();
}

function controllersOf(compilation: Compilation): Record<string, string | null> {
  return Object.fromEntries(compilation.nodes.map((node) => [nameOf(node), node.controller?.name ?? null]));
}

const nested = () =>
  linear('F', { retry: r('r1') }).add(t('a'), linear('S', { retry: r('r2') }).add(t('b'), t('c')), t('d'));

describe('the worked examples', () => {
  const examples: [string, () => Flow | Task, string, string[]][] = [
    ['a single task', () => t('t'), 't', []],
    ['an empty flow', () => linear('F'), 'F, F[$]', ['F→F[$] I']],
    ['an empty flow with a retry', () => linear('F', { retry: r('r') }), 'F, r, F[$]', ['F→r I', 'r→F[$] I']],
    ['a linear flow', () => linear('L').add(t('a'), t('b')), 'L, a, b, L[$]', ['L→a I', 'a→b I', 'b→L[$] I']],
    [
      'an unordered flow with a retry',
      () => unordered('U', { retry: r('r') }).add(t('a'), t('b')),
      'U, a, b, r, U[$]',
      ['U→r I', 'a→U[$] I', 'b→U[$] I', 'r→a I R', 'r→b I R'],
    ],
    [
      'an unordered flow in a linear one',
      () => linear('L').add(t('a'), unordered('U').add(t('b'), t('c')), t('d')),
      'L, a, U, b, c, U[$], d, L[$]',
      ['L→a I', 'U[$]→d I', 'U→b I', 'U→c I', 'a→U I', 'b→U[$] I', 'c→U[$] I', 'd→L[$] I'],
    ],
    [
      'a graph with links',
      () => {
        const [a, b, c, d] = [t('a'), t('b'), t('c'), t('d')];
        return graph('G').add(a, b, c, d).link(a, b).link(b, c).link(c, d);
      },
      'G, a, b, c, d, G[$]',
      ['G→a I', 'a→b manual', 'b→c manual', 'c→d manual', 'd→G[$] I'],
    ],
    [
      'a graph with a dependency',
      () => graph('G').add(t('a', { provides: 'x' }), t('b', { requires: ['x'] })),
      'G, a, b, G[$]',
      ['G→a I', 'a→b reasons{x}', 'b→G[$] I'],
    ],
    [
      'a dependency into a nested flow',
      () => graph('G').add(t('a', { provides: 'x' }), linear('S').add(t('b'), t('c', { requires: ['x'] }))),
      'G, a, S, b, c, S[$], G[$]',
      ['G→a I', 'S[$]→G[$] I', 'S→b I', 'a→S reasons{x}', 'b→c I', 'c→S[$] I'],
    ],
    [
      'a dependency out of a nested flow',
      () => graph('G').add(t('a', { requires: ['x'] }), linear('S').add(t('b', { provides: 'x' }), t('c'))),
      'G, S, b, c, S[$], a, G[$]',
      ['G→S I', 'S[$]→a reasons{x}', 'S→b I', 'a→G[$] I', 'b→c I', 'c→S[$] I'],
    ],
    [
      'retries inside retries',
      nested,
      'F, a, S, b, c, r2, S[$], d, r1, F[$]',
      ['F→r1 I', 'S[$]→d I', 'S→r2 I', 'a→S I', 'b→c I', 'c→S[$] I', 'd→F[$] I', 'r1→a I R', 'r2→b I R'],
    ],
  ];

  it.each(examples)('%s', (_, flow, nodes, edges) => {
    const compilation = compile(flow());
    expect(nodesOf(compilation)).toBe(nodes);
    expect(edgesOf(compilation)).toEqual(edges.sort());
  });

  it('links of a graph carry what is known of them together', () => {
    const [a, b] = [t('a', { provides: 'x' }), t('b', { requires: ['x'] })];
    expect(edgesOf(compile(graph('G').add(a, b).link(a, b)))).toContain('a→b manual reasons{x}');
  });

  it('the nearest retry around a node controls it; a retry, and the markers of its flow, are controlled from outside', () => {
    expect(controllersOf(compile(nested()))).toEqual({
      F: null,
      a: 'r1',
      S: 'r1',
      b: 'r2',
      c: 'r2',
      r2: 'r1',
      'S[$]': 'r1',
      d: 'r1',
      r1: null,
      'F[$]': null,
    });
  });

  it('a retry around a flow without one controls what is in it', () => {
    const controllers = controllersOf(compile(linear('F', { retry: r('r') }).add(unordered('U').add(t('a')))));
    expect(controllers).toEqual({ F: null, U: 'r', a: 'r', 'U[$]': 'r', r: null, 'F[$]': null });
  });

  it('the hierarchy: parents, depths and positions, a retry before the children of its flow', () => {
    const { nodes } = compile(nested());
    const inOrder = nodes.filter(({ kind }) => kind !== 'end').sort((a, b) => a.position - b.position);
    expect(inOrder.map(({ name, parent, depth }) => [name, parent?.name ?? null, depth])).toEqual([
      ['F', null, 0],
      ['r1', 'F', 1],
      ['a', 'F', 1],
      ['S', 'F', 1],
      ['r2', 'S', 2],
      ['b', 'S', 2],
      ['c', 'S', 2],
      ['d', 'F', 1],
    ]);
    expect(nodes.map(({ index }) => index)).toEqual(nodes.map((_, at) => at));
  });

  it('of a targeted flow only what leads to the target is compiled', () => {
    const [a, b, c] = [t('a', { provides: 'x' }), t('b', { requires: ['x'] }), t('c')];
    const flow = targeted('T').add(a, b, c).setTarget(b);
    expect(nodesOf(compile(flow))).toBe('T, a, b, T[$]');
  });
});

describe('scopes', () => {
  it.each([
    [
      'b in a linear flow with an unordered one',
      linear('L').add(t('a'), unordered('U').add(t('b'), t('c')), t('d')),
      'b',
      [[], ['a']],
    ],
    ['d behind them', linear('L').add(t('a'), unordered('U').add(t('b'), t('c')), t('d')), 'd', [['c', 'b', 'a']]],
    [
      'c below two retries',
      nested(),
      'c',
      [
        ['b', 'r2'],
        ['a', 'r1'],
      ],
    ],
    ['d below one', nested(), 'd', [['c', 'b', 'r2', 'a', 'r1']]],
    ['the inner retry', nested(), 'r2', [[], ['a', 'r1']]],
    ['the first task', nested(), 'a', [['r1']]],
    ['the outer retry', nested(), 'r1', []],
    ['an unordered sibling', unordered('U').add(t('a'), t('b')), 'b', []],
    ['a task alone', t('a'), 'a', []],
  ] as const)('of %s', (_, flow, atom, levels) => {
    const compilation = compile(flow);
    expect(new Scopes(compilation).levels(compilation.atom(atom))).toEqual(levels);
  });

  it('in a graph flow what precedes is visible, the latest first, and what does not is not', () => {
    const [a, b, c, d] = [t('a'), t('b'), t('c'), t('d')];
    const compilation = compile(graph('G').add(a, b, c, d).link(a, b).link(b, c));
    const scopes = new Scopes(compilation);
    expect(scopes.levels(compilation.atom('c'))).toEqual([['b', 'a']]);
    expect(scopes.levels(compilation.atom('d'))).toEqual([]);
  });
});

describe('what cannot be compiled', () => {
  it('a root that is neither flow nor task', () => {
    for (const root of [r('r'), {}, null, undefined, 'flow', 3, () => null]) {
      expect(() => compile(root as never)).toThrow(TypeError);
    }
    expect(() => compile(r('r') as never)).toThrow(/the retry r/);
  });

  it('the same object in two places, or in itself', () => {
    const a = t('a');
    expect(() => compile(linear('f').add(a, unordered('u').add(a)))).toThrow(RangeError);
    expect(() => compile(linear('f').add(a, unordered('u').add(a)))).toThrow(/"a"/);
    const own = linear('own');
    expect(() => {
      own.add(own);
      compile(own);
    }).toThrow(RangeError);
  });

  it('the same retry in two flows', () => {
    const retry = r('r');
    expect(() => compile(linear('f').add(linear('a', { retry }), linear('b', { retry })))).toThrow(RangeError);
  });

  it('two atoms of one name, tasks or retries, with all such names', () => {
    const flow = linear('f', { retry: r('x') }).add(
      t('b'),
      t('a'),
      unordered('u').add(t('a'), t('x'), linear('l').add(t('b'))),
    );
    expect(() => compile(flow)).toThrow(DuplicateError);
    expect(() => compile(flow)).toThrow(/: a, b, x$/);
  });

  it('names of flows may repeat, and may be those of atoms', () => {
    const flow = linear('a').add(t('a'), linear('a').add(t('b')));
    expect(nodesOf(compile(flow))).toBe('a, a, a, b, a[$], a[$]');
  });

  it('links in a circle', () => {
    const [a, b] = [t('a'), t('b')];
    expect(() => graph('g').add(a, b).link(a, b).link(b, a)).toThrow(DependencyError);
  });
});

describe('a compilation', () => {
  it('finds atoms and nodes, and says which it does not know', () => {
    const compilation = compile(linear('f').add(t('a')));
    expect(compilation.atom('a').item.name).toBe('a');
    expect(compilation.hasAtom('a')).toBe(true);
    expect(compilation.hasAtom('f')).toBe(false);
    expect(() => compilation.atom('f')).toThrow(NotFoundError);
    expect(() => compilation.atom('toString')).toThrow(/"toString" in f/);
    expect(() => compilation.node(99)).toThrow(NotFoundError);
  });

  it('knows whether there are deciders', () => {
    const [a, b] = [t('a'), t('b')];
    expect(compile(graph('g').add(a, b).link(a, b)).hasDeciders).toBe(false);
    expect(
      compile(
        graph('g')
          .add(a, b)
          .link(a, b, { decider: () => true }),
      ).hasDeciders,
    ).toBe(true);
  });

  it('is the same in the graph for tools', () => {
    const compilation = compile(nested());
    const { graph: drawn } = compilation;
    expect(compilation.graph).toBe(drawn);
    expect(alg.isAcyclic(drawn)).toBe(true);
    const edges = compilation.nodes.flatMap((from) =>
      compilation.successors(from).map((to) => `n${from.index} n${to.index}`),
    );
    expect(
      drawn
        .edges()
        .map(({ v, w }) => `${v} ${w}`)
        .sort(),
    ).toEqual(edges.sort());
    expect(drawn.nodes().map((id) => (drawn.node(id) as PlanNode).index)).toEqual(
      compilation.nodes.map(({ index }) => index),
    );
    for (const { index, parent } of compilation.nodes) {
      expect(drawn.parent(`n${index}`)).toBe(parent === null ? undefined : `n${parent.index}`);
    }
    for (const { v, w } of drawn.edges()) {
      const [from, to] = [drawn.node(v) as PlanNode, drawn.node(w) as PlanNode];
      expect(drawn.edge(v, w)).toBe(compilation.link(from, to));
    }
  });

  it('ids of nodes tell kinds apart', () => {
    const { nodes } = compile(linear('x', { retry: r('r') }).add(t('y')));
    expect(nodes.map((node) => Compilation.idOf(node))).toEqual(['flow:x', 'task:y', 'retry:r', 'end:x']);
  });
});

describe('hostile names', () => {
  const names = [
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'hasOwnProperty',
    '1',
    '0',
    '-1',
    ' ',
    'a b',
    'x[$]',
    '🦊',
    'ü\u0308',
    '\u0000',
    'a:b',
    '__flow',
    'length',
  ];

  it('are names like any others of atoms, flows and symbols', async () => {
    const flow = linear('__proto__', { retry: times({ name: 'valueOf', provides: 'valueOf' }) });
    const given: unknown[] = [];
    for (const name of names) {
      flow.add(
        linear(name).add(
          task({ name, provides: name, execute: () => name }),
          task({
            name: `needs ${name}`,
            signature: { execute: { required: [name] } },
            execute: (args) => given.push(Object.getOwnPropertyDescriptor(args, name)?.value),
          }),
        ),
      );
    }
    const compilation = compile(flow);
    for (const name of names) expect(compilation.atom(name).name).toBe(name);
    const engine = await load(flow);
    expect(await engine.run()).toBe('SUCCESS');
    expect(given).toEqual(names);
    const all = engine.storage.fetchAll();
    expect(Object.keys(all).sort()).toEqual([...names, 'valueOf'].sort());
    for (const name of names) expect(Object.getOwnPropertyDescriptor(all, name)?.value).toBe(name);
    expect(compilation.graph.nodeCount()).toBe(compilation.nodes.length);
  });

  it('flows may have no name at all; atoms may not', async () => {
    const engine = await load(linear('').add(t('a'), unordered('').add(t('b'))));
    expect(await engine.run()).toBe('SUCCESS');
    expect(() => t('')).toThrow(TypeError);
  });
});
