import { expect } from 'vitest';
import type { TestRunner } from '../../src/testing/index.js';

/** The tests of a suite, by their full names, to be run one by one: a test runner of a few lines. */
export function collected(suite: (runner: TestRunner) => void): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>();
  const path: string[] = [];
  suite({
    describe(name, body) {
      path.push(name);
      body();
      path.pop();
    },
    it(name, body) {
      const full = [...path, name].join(' > ');
      expect(tests.has(full), `there are two tests ${full}`).toBe(false);
      tests.set(full, body);
    },
  });
  return tests;
}

/** The names of those that fail. */
export async function failing(tests: ReadonlyMap<string, () => Promise<void>>): Promise<string[]> {
  const failed: string[] = [];
  for (const [name, body] of tests) await body().catch(() => failed.push(name));
  return failed;
}
