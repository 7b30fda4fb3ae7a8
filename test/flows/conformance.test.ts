import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Atom } from '../../src/atoms/atom.js';
import { Task } from '../../src/atoms/task.js';
import type { Flow } from '../../src/flows/flow.js';
import { type Behaviours, buildFlow } from '../conformance/build-flow.js';
import type { CaseNode } from '../conformance/case.js';

interface Mapping {
  readonly executeOptional: readonly string[];
  readonly revertOptional: readonly string[];
}

/** What came of making a flow. */
interface Recorded {
  readonly raised?: string;
  readonly mapping?: object;
  readonly symbols?: object;
}

/** Only what is needed here of a case. */
interface Case {
  readonly name: string;
  readonly flow: CaseNode;
  readonly expected: {
    readonly build: { readonly ok: true } | { readonly raised: { readonly type?: string } };
    readonly compiled?: { readonly mapping: Readonly<Record<string, Mapping>> };
    readonly symbols?: Record<string, unknown>;
  };
}

const CASES = new URL('../conformance/cases/', import.meta.url);

const silent: Behaviours = {
  execute: () => null,
  revert: () => null,
  onFailure: (_name, _args, standard) => standard?.() ?? 'REVERT',
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

function record(test: Case): Recorded {
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

function expectedOf({ expected }: Case, actual: Recorded): unknown {
  if ('raised' in expected.build) return { raised: expected.build.raised.type };
  const mapping = Object.entries(expected.compiled?.mapping ?? {}).map(([name, entry]): [string, unknown] => [
    name,
    { ...entry, executeOptional: [...entry.executeOptional].sort(), revertOptional: [...entry.revertOptional].sort() },
  ]);
  return {
    mapping: expected.compiled === undefined ? actual.mapping : Object.fromEntries(mapping),
    symbols: expected.symbols ?? actual.symbols,
  };
}

describe('what making a flow gives', () => {
  for (const file of readdirSync(CASES).sort()) {
    const cases = JSON.parse(readFileSync(new URL(file, CASES), 'utf8')) as Case[];
    it.each(cases.map((test) => [test.name, test] as const))(`${file}: %s`, (_name, test) => {
      const actual = record(test);
      expect(actual).toEqual(expectedOf(test, actual));
    });
  }
});
