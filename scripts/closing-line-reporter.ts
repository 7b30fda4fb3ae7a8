import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/** Begins the names of suites that are skipped because something is missing. */
const NOT_TESTED = 'NOT TESTED: ';

/**
 * Ends a test run with a line for programs to read: `12 passed, 0 failed`, or `12 passed, 0 failed, 3 skipped`.
 *
 * A run that fails for another reason than a failing test (a file that cannot be loaded, a hook, an error outside
 * of every test) counts at least one failure, so that the line never contradicts the exit status. Before it stands what
 * was not tested for want of a server, framed, once for each server.
 */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: TestRunEndReason): void {
    const line = [...framed(notTested(modules)), closingLine(modules, unhandledErrors.length, reason)].join('\n');
    // Other reporters, and coverage, still print after this call.
    process.once('exit', () => {
      process.stdout.write(`${line}\n`);
    });
  }
}

function notTested(modules: readonly TestModule[]): string[] {
  const suites = modules.flatMap((module) => [...module.children.allSuites()]);
  const names = suites.filter((suite) => suite.name.startsWith(NOT_TESTED)).map(({ name }) => name);
  return [...new Set(names)].sort();
}

function framed(lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const rule = '─'.repeat(Math.max(...lines.map(({ length }) => length)));
  return [rule, ...lines, rule];
}

function closingLine(modules: readonly TestModule[], unhandledErrors: number, reason: TestRunEndReason): string {
  const count = { passed: 0, failed: unhandledErrors, skipped: 0, pending: 0 };
  for (const module of modules) {
    let failedTests = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      count[state] += 1;
      if (state === 'failed') failedTests += 1;
    }
    if (failedTests === 0 && module.state() === 'failed') count.failed += 1;
  }
  // A test that never came to an end was not passed.
  count.failed += count.pending;
  if (reason !== 'passed' && count.failed === 0) count.failed = 1;
  const totals = `${count.passed} passed, ${count.failed} failed`;
  return count.skipped === 0 ? totals : `${totals}, ${count.skipped} skipped`;
}
