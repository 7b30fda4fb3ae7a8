import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Atom } from '../../src/atoms/atom.js';
import { Task } from '../../src/atoms/task.js';
import type { Flow } from '../../src/flows/flow.js';
import { type Behaviours, buildFlow } from '../conformance/build-flow.js';
import type { CaseNode } from '../conformance/case.js';

/** Only what is needed here of a case. */
interface Case {
  readonly name: string;
  readonly flow: CaseNode;
  readonly expected: {
    readonly build: { readonly ok: true } | { readonly raised: { readonly type?: string } };
    readonly compiled?: { readonly mapping: Record<string, unknown>; readonly successors: Record<string, string[]> };
    readonly symbols?: Record<string, unknown>;
  };
}

const CASES = new URL('../conformance/cases/', import.meta.url);

const silent: Behaviours = {
  execute: () => null,
  revert: () => null,
  onFailure: (_name, _args, answer = 'REVERT') => answer,
  decide: () => true,
};

/** TaskFlow's names of the errors that making a flow can end with. */
const TASKFLOW_NAMES = new Map([
  ['RangeError', 'ValueError'],
  ['TypeError', 'TypeError'],
  ['DependencyError', 'DependencyFailure'],
  ['AmbiguousDependencyError', 'AmbiguousDependency'],
]);

function mappingOf(atom: Atom): unknown {
  return {
    execute: Object.fromEntries(atom.executeMapping.bindings),
    executeOptional: [...atom.executeMapping.optional].sort(),
    revert: Object.fromEntries(atom.revertMapping.bindings),
    revertOptional: [...atom.revertMapping.optional].sort(),
    requires: [...atom.requires],
    saves: Object.fromEntries(atom.saveAs),
  };
}

/** All that is in a flow, with its retries. */
function* contents(root: Flow | Task): Generator<Flow | Atom> {
  const stack = [root];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    yield item;
    if (item instanceof Task) continue;
    if (item.retry !== null) yield item.retry;
    stack.push(...item);
  }
}

function record(test: Case): unknown {
  let root: Flow | Task;
  try {
    ({ root } = buildFlow(test.flow, silent));
  } catch (error) {
    return { raised: TASKFLOW_NAMES.get(error instanceof Error ? error.name : '') ?? String(error) };
  }
  const mapping: [string, unknown][] = [];
  const symbols: [string, unknown][] = [];
  for (const item of contents(root)) {
    if ('kind' in item) mapping.push([item.name, mappingOf(item)]);
    if ('kind' in item && item.kind === 'retry') continue;
    symbols.push([item.name, { requires: [...item.requires].sort(), provides: [...item.provides].sort() }]);
  }
  return { mapping: Object.fromEntries(mapping), symbols: Object.fromEntries(symbols) };
}

function expectedOf({ expected }: Case, actual: unknown): unknown {
  if ('raised' in expected.build) return { raised: expected.build.raised.type ?? expect.anything() };
  const { mapping, symbols } = actual as { mapping: unknown; symbols: unknown };
  const sorted = Object.entries(expected.compiled?.mapping ?? {}).map(([name, entry]) => {
    const { executeOptional, revertOptional, ...rest } = entry as {
      executeOptional: string[];
      revertOptional: string[];
    };
    return [name, { ...rest, executeOptional: executeOptional.sort(), revertOptional: revertOptional.sort() }];
  });
  return {
    mapping: expected.compiled === undefined ? mapping : Object.fromEntries(sorted),
    symbols: expected.symbols ?? symbols,
  };
}

/** Links between tasks of the same flow, by source: the compiled graph has them in the same order. */
describe('what making a flow gives', () => {
  for (const file of readdirSync(CASES).sort()) {
    const cases = JSON.parse(readFileSync(new URL(file, CASES), 'utf8')) as Case[];
    it.each(cases.map((test) => [test.name, test] as const))(`${file}: %s`, (_name, test) => {
      const actual = record(test);
      expect(actual).toEqual(expectedOf(test, actual));
    });
  }
});
