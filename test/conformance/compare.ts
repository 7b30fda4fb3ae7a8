import type { ConformanceCase, Expected } from './case.js';
import { asText, isObject, member, pathTo } from './json.js';

/** One place where a record is not what the case expects. `undefined` stands for nothing being there. */
export interface Difference {
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** What was recorded; the same shape as `expected` of a case, each field present. */
export interface CaseRecord {
  readonly build: unknown;
  readonly runs: readonly unknown[];
  readonly compiled?: unknown;
  readonly symbols?: unknown;
  /** The atoms that follow each atom in the compiled graph, near and far. Not compared. */
  readonly after?: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * What is compared: everything; what section 4 promises for the case's level; or what section 4 promises for
 * a parallel engine.
 */
export type Strictness = 'exact' | 'lenient' | 'parallel';

type Comparison = (expected: unknown, actual: unknown, path: string) => Generator<Difference>;

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** `runs[1].trace[17].args.x: expected 3, got 4`, on one line. */
export function describeDifference({ path, expected, actual }: Difference): string {
  return `${path}: expected ${asText(expected)}, got ${asText(actual)}`;
}

function isFailure(value: unknown): value is { readonly failure: Readonly<Record<string, unknown>> } {
  if (!isObject(value) || Object.keys(value).length !== 1) return false;
  const body = member(value, 'failure');
  return isObject(body) && typeof member(body, 'type') === 'string';
}

function* list(expected: readonly unknown[], actual: unknown, path: string, item: Comparison): Generator<Difference> {
  if (!Array.isArray(actual)) {
    yield { path, expected, actual };
    return;
  }
  for (const [index, wanted] of expected.entries()) yield* item(wanted, actual[index], pathTo(path, index));
  for (let index = expected.length; index < actual.length; index++) {
    yield { path: pathTo(path, index), expected: undefined, actual: actual[index] };
  }
}

/** Names and members both have to be the same. */
function* complete(
  expected: Readonly<Record<string, unknown>>,
  actual: unknown,
  path: string,
  compareMember: Comparison,
): Generator<Difference> {
  if (!isObject(actual)) {
    yield { path, expected, actual };
    return;
  }
  for (const name of Object.keys(expected)) {
    yield* compareMember(expected[name], member(actual, name), pathTo(path, name));
  }
  for (const name of Object.keys(actual)) {
    if (Object.hasOwn(expected, name)) continue;
    yield { path: pathTo(path, name), expected: undefined, actual: actual[name] };
  }
}

/** Members that are not stated are not compared. */
function* stated(
  expected: Readonly<Record<string, unknown>>,
  actual: unknown,
  path: string,
  comparisons: Readonly<Record<string, Comparison>> = {},
): Generator<Difference> {
  if (!isObject(actual)) {
    yield { path, expected, actual };
    return;
  }
  for (const name of Object.keys(expected)) {
    const compareMember = Object.hasOwn(comparisons, name) ? comparisons[name] : undefined;
    yield* (compareMember ?? exact)(expected[name], member(actual, name), pathTo(path, name));
  }
}

/** Compares values completely; a failure's message only where the case states it. */
function* exact(expected: unknown, actual: unknown, path: string): Generator<Difference> {
  if (Array.isArray(expected)) yield* list(expected, actual, path, exact);
  else if (isFailure(expected) && isFailure(actual)) {
    yield* stated(expected.failure, actual.failure, pathTo(path, 'failure'));
  } else if (isObject(expected)) yield* complete(expected, actual, path, exact);
  else if (expected !== actual) yield { path, expected, actual };
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map(String).sort() : value;
}

function* anyOrder(expected: unknown, actual: unknown, path: string): Generator<Difference> {
  yield* exact(sorted(expected), sorted(actual), path);
}

function* failureBody(expected: unknown, actual: unknown, path: string): Generator<Difference> {
  if (isObject(expected)) yield* stated(expected, actual, path);
  else yield* exact(expected, actual, path);
}

function* failuresInOrder(expected: unknown, actual: unknown, path: string): Generator<Difference> {
  if (Array.isArray(expected)) yield* list(expected, actual, path, failureBody);
  else yield* exact(expected, actual, path);
}

/** Pairs each expected failure with another one of the recorded; the most specific choose first. */
function* failuresInAnyOrder(expected: unknown, actual: unknown, path: string): Generator<Difference> {
  if (!isList(expected) || !isList(actual) || expected.length !== actual.length) {
    yield* failuresInOrder(expected, actual, path);
    return;
  }
  const left = [...actual];
  const facts = (failure: unknown) => (isObject(failure) ? Object.keys(failure).length : 0);
  const specificFirst = expected.toSorted((one, other) => facts(other) - facts(one));
  for (const wanted of specificFirst) {
    const found = left.findIndex((item) => failureBody(wanted, item, '').next().done === true);
    if (found === -1) yield { path, expected: wanted, actual: left };
    else left.splice(found, 1);
  }
}

/** An object whose only member says how something went: `ok`, `crashed` or `raised`. */
function outcome(failures: Comparison): Comparison {
  return function* compareOutcome(expected, actual, path) {
    if (!isObject(expected) || !isObject(actual)) {
      yield* exact(expected, actual, path);
      return;
    }
    if (Object.keys(expected).join() !== Object.keys(actual).join()) {
      yield { path, expected, actual };
      return;
    }
    const raised: Comparison = function* compareRaised(wanted, got, where) {
      if (isObject(wanted)) yield* stated(wanted, got, where, { failures });
      else yield* exact(wanted, got, where);
    };
    yield* stated(expected, actual, path, { raised });
  };
}

function* atoms(expected: unknown, actual: unknown, path: string): Generator<Difference> {
  if (!isObject(expected)) {
    yield* exact(expected, actual, path);
    return;
  }
  yield* complete(expected, actual, path, function* compareAtom(wanted, got, where) {
    if (isObject(wanted) && got !== undefined) yield* stated(wanted, got, where);
    else yield* exact(wanted, got, where);
  });
}

function* traceEntry(expected: unknown, actual: unknown, path: string): Generator<Difference> {
  if (isObject(expected) && actual !== undefined) yield* stated(expected, actual, path);
  else yield* exact(expected, actual, path);
}

function isEngineEntry(entry: unknown): boolean {
  return isObject(entry) && Object.hasOwn(entry, 'engine');
}

/** A trace; `withEngine` false leaves out what the engine reported of its own state. */
function trace(withEngine: boolean): Comparison {
  return function* compareTrace(expected, actual, path) {
    if (!Array.isArray(expected)) {
      yield* exact(expected, actual, path);
      return;
    }
    const got: unknown = withEngine || !Array.isArray(actual) ? actual : actual.filter((it) => !isEngineEntry(it));
    yield* list(expected, got, path, traceEntry);
  };
}

/** The fields of a run that are compared; the first ones explain most of what may differ in the others. */
function fieldsCompared(strictness: Strictness, test: ConformanceCase): readonly string[] {
  const outcomes = ['end', 'flowState', 'atoms', 'fetchAll'];
  if (strictness === 'parallel') return test.threadsAgree ? outcomes : [];
  const failureFields = ['executeFailures', 'revertFailures'];
  if (strictness === 'exact' || test.orderSensitivity === 'none')
    return ['end', 'trace', ...outcomes.slice(1), ...failureFields];
  if (test.orderSensitivity === 'trace') return [...outcomes, ...failureFields];
  return test.orderSensitivity === 'failures' ? outcomes : [];
}

/**
 * The differences of the runs.
 *
 * A case that mentions no state of the engine in any trace is compared without them. That is decided for the
 * case as a whole: a run can have none because it ended before its engine started.
 */
function* runs(test: ConformanceCase, expected: Expected, record: CaseRecord, strictness: Strictness) {
  const wanted = expected.runs;
  if (wanted === undefined) return;
  const fields = fieldsCompared(strictness, test);
  if (fields.length === 0) return;
  const inOrder = strictness === 'exact' || (strictness === 'lenient' && fields.includes('executeFailures'));
  const withEngine = wanted.some((run) => run.trace?.some(isEngineEntry) ?? false);
  const comparisons = {
    end: outcome(inOrder ? failuresInOrder : failuresInAnyOrder),
    trace: trace(withEngine),
    atoms,
  };
  yield* list(wanted, record.runs, 'runs', function* compareRun(run, got, path) {
    if (!isObject(run) || got === undefined) {
      yield* exact(run, got, path);
      return;
    }
    const compared = fields.filter((name) => Object.hasOwn(run, name)).map((name) => [name, run[name]] as const);
    yield* stated(Object.fromEntries(compared), got, path, comparisons);
  });
}

function* compiled(expected: unknown, actual: unknown): Generator<Difference> {
  if (!isObject(expected)) return;
  yield* stated(expected, actual, 'compiled', {
    raised: failureBody,
    mapping: function* compareMapping(wanted, got, path) {
      if (!isObject(wanted)) yield* exact(wanted, got, path);
      else {
        yield* complete(wanted, got, path, function* compareAtom(atom, gotAtom, where) {
          if (!isObject(atom)) yield* exact(atom, gotAtom, where);
          else yield* stated(atom, gotAtom, where, { executeOptional: anyOrder, revertOptional: anyOrder });
        });
      }
    },
  });
}

/**
 * Every difference between what a case expects and what was recorded, in the order: build, compilation,
 * symbols, runs.
 *
 * @param test - The case.
 * @param record - What happened.
 * @param strictness - See `Strictness`.
 * @param expected - What to compare with. Default: what the case expects.
 */
export function* compareCase(
  test: ConformanceCase,
  record: CaseRecord,
  strictness: Strictness,
  expected: Expected = test.expected,
): Generator<Difference> {
  yield* outcome(failuresInOrder)(expected.build, record.build, 'build');
  if (expected.compiled !== undefined) yield* compiled(expected.compiled, record.compiled);
  if (expected.symbols !== undefined) yield* exact(expected.symbols, record.symbols, 'symbols');
  yield* runs(test, expected, record, strictness);
}
