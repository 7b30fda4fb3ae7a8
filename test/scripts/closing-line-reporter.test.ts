import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const repository = join(import.meta.dirname, '..', '..');

/** Runs the tests of one file in a folder of its own. */
function runTests(file: string): { lines: string[]; status: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'flowstate-reporter-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const reporter = JSON.stringify(join(repository, 'scripts/closing-line-reporter.ts'));
  writeFileSync(
    join(folder, 'vitest.config.mjs'),
    `import { ClosingLineReporter } from ${reporter};
     export default { test: { globals: true, reporters: ['default', new ClosingLineReporter()] } };`,
  );
  writeFileSync(join(folder, 'some.test.js'), file);
  const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
  const { stdout, status } = spawnSync(process.execPath, [vitest, 'run', '--root', folder], { encoding: 'utf8' });
  return { lines: stdout.trimEnd().split('\n'), status };
}

it.each([
  ['tests that pass', `it('a', () => {}); it('b', () => {});`, '2 passed, 0 failed', 0],
  [
    'tests that fail or are left out',
    `it('a', () => {}); it('b', () => { throw new Error('b') }); it.skip('c', () => {}); it.todo('d');`,
    '1 passed, 1 failed, 2 skipped',
    1,
  ],
  ['a file that cannot be loaded', `throw new Error('not loaded')`, '0 passed, 1 failed', 1],
  ['a hook that fails', `afterAll(() => { throw new Error('b') }); it('a', () => {});`, '1 passed, 1 failed', 1],
  [
    'an error outside of every test',
    `it('a', async () => { Promise.reject(new Error('lost')); await new Promise((done) => setTimeout(done, 20)); });`,
    '1 passed, 1 failed',
    1,
  ],
])('counts %s', (_what, file, closingLine, status) => {
  const { lines, status: given } = runTests(file);
  expect([lines.at(-1), given]).toEqual([closingLine, status]);
});

it('says before it, once and framed, for want of what nothing was tested', () => {
  const suite = `describe.skip('NOT TESTED: redis (set REDIS)', () => it('a', () => {}));`;
  const { lines } = runTests(`it('b', () => {}); ${suite} ${suite}`);
  expect(lines.slice(-4)).toEqual([
    '─'.repeat(29),
    'NOT TESTED: redis (set REDIS)',
    '─'.repeat(29),
    '1 passed, 0 failed, 2 skipped',
  ]);
});
