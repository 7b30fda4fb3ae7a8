import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

/**
 * Ends a test run with a line for programs to read: `12 passed, 0 failed`, or `12 passed, 0 failed, 3 skipped`.
 *
 * A run that fails for another reason than a failing test (a file that cannot be loaded, a hook, an error outside
 * of every test) counts at least one failure, so that the line never contradicts the exit status.
 */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: TestRunEndReason): void {
    const line = closingLine(modules, unhandledErrors.length, reason);
    // Other reporters, and coverage, still print after this call.
    process.once('exit', () => {
      process.stdout.write(`${line}\n`);
    });
  }
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
