import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Built } from '../examples/programs.js';
import { buildExamples, run } from '../examples/programs.js';
import { readCommandLine } from './options.js';

/* Threads and processes load JavaScript alone, so the cases are run by the program. All of them: `.ci/run`. */

let built: Built;
beforeAll(async () => {
  built = await buildExamples();
}, 120_000);
afterAll(() => built[Symbol.asyncDispose]());

describe.each(['workerThreads', 'childProcess'])('the recorded cases of retries on %s', (executor) => {
  it.each(['round', 'change'])(
    'are reproduced (checkpoint: %s)',
    async (checkpoint) => {
      const options = [
        '--engine',
        'parallel',
        '--executor',
        executor,
        '--checkpoint',
        checkpoint,
        '--filter',
        'retry/',
      ];
      const { stdout, stderr, code } = await run(built.file('test/conformance/main.ts'), options);
      expect({ stdout, stderr, code }).toEqual({ stdout: '53 passed, 0 failed\n', stderr: '', code: 0 });
    },
    120_000,
  );
});

describe('the option --executor', () => {
  it('is for the parallel engine, and names an executor', () => {
    expect(readCommandLine(['--engine', 'parallel']).executor).toBe('async');
    expect(readCommandLine([]).executor).toBeNull();
    expect(() => readCommandLine(['--executor', 'async'])).toThrow('--executor is for --engine parallel');
    expect(() => readCommandLine(['--engine', 'parallel', '--executor', 'gpu'])).toThrow(/async or workerThreads or/);
  });
});
