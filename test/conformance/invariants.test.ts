import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCaseDirectory } from './case.js';
import type { ConformanceCase } from './case.js';
import { hasInvariants, violations } from './invariants.js';

const cases = readCaseDirectory(join(import.meta.dirname, 'cases')).flatMap((entry) =>
  'test' in entry ? [entry.test] : [],
);

/** What the reference did, which keeps the invariants. */
function violationsOf(test: ConformanceCase, runs = test.expected.runs ?? []): string[] {
  return [...violations(test, { ...test.expected, runs })];
}

describe('the invariants of the format', () => {
  it('hold in the recorded runs of the reference', () => {
    const wrong = cases.flatMap((test) => violationsOf(test).map((each) => `${test.group}/${test.name}: ${each}`));
    expect(wrong).toEqual([]);
    expect(cases.filter(hasInvariants).length).toBeGreaterThan(400);
  });
});

describe('a run that breaks an invariant', () => {
  const running = (test: ConformanceCase) => test.expected.runs?.[0]?.trace ?? [];
  const withTrace = (test: ConformanceCase, trace: ReturnType<typeof running>) =>
    violationsOf(
      test,
      (test.expected.runs ?? []).map((run, index) => (index === 0 ? { ...run, trace } : run)),
    );

  /** What is found when the first entry of a kind is left out, over all cases that have one. */
  function leavingOut(isMeant: (entry: ReturnType<typeof running>[number]) => boolean): {
    tried: number;
    found: number;
  } {
    let tried = 0;
    let found = 0;
    for (const test of cases.filter(hasInvariants)) {
      const trace = running(test);
      const index = trace.findIndex(isMeant);
      if (index === -1) continue;
      tried += 1;
      if (withTrace(test, trace.toSpliced(index, 1)).length > 0) found += 1;
    }
    return { tried, found };
  }

  it('is found when an atom was not called', () => {
    const { tried, found } = leavingOut(
      (entry) => 'call' in entry && (entry.call === 'execute' || entry.call === 'revert'),
    );
    expect(tried).toBeGreaterThan(300);
    expect(found).toBe(tried);
  });

  it('is found when an atom was called before it ran', () => {
    const { tried, found } = leavingOut(
      (entry) => 'event' in entry && entry.event !== 'flow' && entry.new === 'RUNNING',
    );
    expect(tried).toBeGreaterThan(300);
    expect(found).toBe(tried);
  });

  it('is found when an atom ran before one that precedes it had succeeded', () => {
    let tried = 0;
    for (const test of cases.filter(hasInvariants)) {
      const trace = running(test);
      const done = trace.findIndex((entry) => 'event' in entry && entry.event !== 'flow' && entry.new === 'SUCCESS');
      const [entry] = trace.slice(done, done + 1);
      const next = trace.findIndex(
        (each, index) => index > done && 'event' in each && each.event !== 'flow' && each.new === 'RUNNING',
      );
      if (entry === undefined || next === -1 || test.flow.type !== 'flow' || test.flow.pattern !== 'linear') continue;
      tried += 1;
      const late = trace.toSpliced(done, 1).toSpliced(next, 0, entry);
      expect(withTrace(test, late), test.name).not.toEqual([]);
    }
    expect(tried).toBeGreaterThan(20);
  });

  it('is found when an atom gets what nobody returned', () => {
    let tried = 0;
    for (const test of cases.filter(hasInvariants)) {
      const trace = running(test);
      const index = trace.findIndex(
        (entry) =>
          'call' in entry &&
          entry.call === 'execute' &&
          entry.scope === 'task' &&
          Object.keys(entry.args ?? {}).length > 0,
      );
      const entry = trace[index];
      if (entry === undefined || !('args' in entry)) continue;
      tried += 1;
      const args = Object.fromEntries(Object.keys(entry.args ?? {}).map((name) => [name, 'from nowhere']));
      expect(withTrace(test, trace.with(index, { ...entry, args })), test.name).not.toEqual([]);
    }
    expect(tried).toBeGreaterThan(100);
  });
});
