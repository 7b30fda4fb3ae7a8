import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCase, readCaseDirectory } from './case.js';
import type { ConformanceCase } from './case.js';
import { compareCase, describeDifference } from './compare.js';
import type { CaseRecord, Strictness } from './compare.js';

const cases = readCaseDirectory(join(import.meta.dirname, 'cases')).flatMap((entry) =>
  'test' in entry ? [entry.test] : [],
);

function caseWith(expected: unknown, facts: object = {}): ConformanceCase {
  return parseCase({
    name: 'a case',
    group: 'made up',
    origin: 'own',
    features: [],
    pins: [],
    orderSensitivity: 'none',
    threadsAgree: true,
    flow: { type: 'task', name: 'a' },
    engine: { deferReverts: true },
    runs: [{}],
    expected,
    ...facts,
  });
}

const ok = { ok: true };
const success = { event: 'task', name: 'a', old: 'RUNNING', new: 'SUCCESS', result: 1 };
const whole = {
  end: ok,
  trace: [{ engine: 'RESUMING' }, success],
  flowState: 'SUCCESS',
  atoms: { a: { kind: 'task', state: 'SUCCESS', result: 1 } },
  fetchAll: { x: 1 },
  executeFailures: {},
  revertFailures: {},
};

/** Compares a run with what is expected of it. */
function compareRun(expected: object, actual: object, strictness: Strictness = 'exact', facts: object = {}): string[] {
  const test = caseWith({ build: ok, runs: [{ ...whole, ...expected }] }, facts);
  const record: CaseRecord = { build: ok, runs: [{ ...whole, ...actual }] };
  return [...compareCase(test, record, strictness)].map(describeDifference);
}

describe('comparing a record with what a case expects', () => {
  it('finds what the reference did equal to itself', () => {
    for (const test of cases) {
      const record = { ...test.expected, runs: test.expected.runs ?? [] };
      for (const strictness of ['exact', 'lenient', 'parallel'] as const) {
        expect([...compareCase(test, record, strictness)], `${test.group}/${test.name}`).toEqual([]);
      }
    }
    expect(cases.length).toBeGreaterThan(800);
  });

  it('says where, what was expected and what came', () => {
    const call = { call: 'execute', scope: 'task', name: 'a', args: { x: 3 } };
    expect(
      compareRun(
        { trace: [{ engine: 'RESUMING' }, call] },
        { trace: [{ engine: 'RESUMING' }, { ...call, args: { x: 4 } }] },
      ),
    ).toEqual(['runs[0].trace[1].args.x: expected 3, got 4']);
    expect(compareRun({ fetchAll: { 'a b': [null] } }, { fetchAll: { 'a b': [] } })).toEqual([
      'runs[0].fetchAll["a b"][0]: expected null, got nothing',
    ]);
  });

  it('counts what is additional as different: entries, runs, atoms, values', () => {
    expect(compareRun({}, { trace: [...whole.trace, success] })).toHaveLength(1);
    expect(compareRun({}, { atoms: { ...whole.atoms, b: {} } })).toEqual(['runs[0].atoms.b: expected nothing, got {}']);
    expect(compareRun({}, { fetchAll: { x: 1, y: 2 } })).toEqual(['runs[0].fetchAll.y: expected nothing, got 2']);
    const test = caseWith({ build: ok, runs: [whole] });
    expect([...compareCase(test, { build: ok, runs: [whole, whole] }, 'exact')]).toHaveLength(1);
    expect([...compareCase(test, { build: ok, runs: [] }, 'exact')]).toHaveLength(1);
  });

  it('does not compare fields that are not stated', () => {
    const { end, flowState, atoms } = whole;
    const test = caseWith({ build: ok, runs: [{ end, flowState, atoms: { a: { kind: 'task', state: 'SUCCESS' } } }] });
    const record = { build: ok, runs: [{ end, flowState, atoms, trace: [success] }] };
    expect([...compareCase(test, record, 'exact')]).toEqual([]);
  });

  it('wants a stated field to be there, null included', () => {
    expect(
      compareRun(
        { atoms: { a: { kind: 'task', state: 'SUCCESS', result: null } } },
        { atoms: { a: { kind: 'task', state: 'SUCCESS' } } },
      ),
    ).toEqual(['runs[0].atoms.a.result: expected null, got nothing']);
  });

  it('compares the message of a failure only where it is stated', () => {
    const failed = (message?: string) => ({
      failure: { type: 'NotFound', ...(message === undefined ? {} : { message }) },
    });
    expect(compareRun({ fetchAll: { x: failed() } }, { fetchAll: { x: failed('gone') } })).toEqual([]);
    expect(compareRun({ fetchAll: { x: failed('lost') } }, { fetchAll: { x: failed('gone') } })).toHaveLength(1);
    expect(compareRun({ fetchAll: { x: failed() } }, { fetchAll: { x: 1 } })).toHaveLength(1);
  });

  it('takes 1 and 1.0 for equal, and knows no order of members', () => {
    const expected = JSON.parse('{"x": 1.0, "y": {"a": 1, "b": 2}}') as object;
    expect(compareRun({ fetchAll: expected }, { fetchAll: { y: { b: 2, a: 1 }, x: 1 } })).toEqual([]);
  });

  it('compares members with the names of inherited ones', () => {
    const parse = (text: string) => JSON.parse(text) as object;
    const odd = parse('{"__proto__": 1, "constructor": 2}');
    expect(compareRun({ fetchAll: odd }, { fetchAll: parse('{"__proto__": 1, "constructor": 2}') })).toEqual([]);
    expect(compareRun({ fetchAll: odd }, { fetchAll: {} })).toHaveLength(2);
    expect(compareRun({ fetchAll: {} }, { fetchAll: odd })).toHaveLength(2);
  });

  it('lets an expected error without a type match every error, and only errors', () => {
    const raised = { raised: { type: 'ValueError', message: 'no' } };
    expect(compareRun({ end: { raised: {} } }, { end: raised })).toEqual([]);
    expect(compareRun({ end: { raised: {} } }, { end: ok })).toEqual([
      'runs[0].end: expected {"raised":{}}, got {"ok":true}',
    ]);
    expect(compareRun({ end: ok }, { end: raised })).toHaveLength(1);
  });

  it('compares wrapped failures in order, for a parallel engine in any order', () => {
    const wrapped = (...messages: string[]) => ({
      end: {
        raised: { type: 'WrappedFailure', failures: messages.map((message) => ({ type: 'RuntimeError', message })) },
      },
    });
    expect(compareRun(wrapped('a', 'b'), wrapped('b', 'a'))).toHaveLength(2);
    expect(compareRun(wrapped('a', 'b'), wrapped('b', 'a'), 'parallel')).toEqual([]);
    expect(compareRun(wrapped('a', 'b'), wrapped('a', 'a'), 'parallel')).toHaveLength(1);
    expect(compareRun(wrapped('a', 'b'), wrapped('a'), 'parallel')).not.toEqual([]);
  });

  it('leaves out what the engine reports when the case never mentions it', () => {
    expect(compareRun({ trace: [success] }, {})).toEqual([]);
    expect(compareRun({}, { trace: [success] })).not.toEqual([]);
  });

  it('compares for a lenient runner and a parallel engine what the format promises', () => {
    const reordered = { trace: [success] };
    const other = { fetchAll: { x: 2 } };
    expect(compareRun({}, reordered, 'lenient', { orderSensitivity: 'trace' })).toEqual([]);
    expect(compareRun({}, other, 'lenient', { orderSensitivity: 'failures' })).toHaveLength(1);
    expect(compareRun({}, other, 'lenient', { orderSensitivity: 'outcome' })).toEqual([]);
    expect(compareRun({}, reordered, 'lenient', { orderSensitivity: 'none' })).not.toEqual([]);
    expect(compareRun({}, reordered, 'parallel')).toEqual([]);
    expect(compareRun({}, other, 'parallel')).toHaveLength(1);
    expect(compareRun({}, other, 'parallel', { threadsAgree: false })).toEqual([]);
  });

  it('compares the compiled graph, scopes, mappings and symbols', () => {
    const mapping = {
      execute: {},
      executeOptional: ['x', 'y'],
      revert: {},
      revertOptional: [],
      requires: ['p', 'q'],
      saves: {},
    };
    const compiled = {
      nodes: [['task:a', null]],
      successors: {},
      predecessors: {},
      scopes: { a: [['b']] },
      mapping: { a: mapping },
    };
    const symbols = { a: { requires: [], provides: ['x'] } };
    const test = caseWith({ build: ok, runs: [], compiled, symbols }, { runs: [] });
    const differences = (other: object) => [
      ...compareCase(test, { build: ok, runs: [], compiled, symbols, ...other }, 'exact'),
    ];
    expect(differences({})).toEqual([]);
    expect(differences({ compiled: { ...compiled, scopes: { a: [['c']] } } })).toHaveLength(1);
    expect(differences({ compiled: { ...compiled, nodes: [] } })).toHaveLength(1);
    expect(differences({ compiled: { raised: { type: 'Duplicate' } } })).not.toEqual([]);
    expect(differences({ compiled: undefined })).not.toEqual([]);
    expect(
      differences({ compiled: { ...compiled, mapping: { a: { ...mapping, requires: ['q', 'p'] } } } }),
    ).not.toEqual([]);
    expect(
      differences({ compiled: { ...compiled, mapping: { a: { ...mapping, executeOptional: ['y', 'x'] } } } }),
    ).toEqual([]);
    expect(differences({ symbols: {} })).toHaveLength(1);
  });
});
