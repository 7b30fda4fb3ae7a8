import { basename, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Options } from '../../examples/publish-directory/command-line.js';
import { CannotStartError, readCommandLine, STEPS } from '../../examples/publish-directory/command-line.js';

describe('the command line of publish-directory', () => {
  it('has defaults for everything', () => {
    const { directory, workers, ...others } = readCommandLine([]) as Options;
    expect(basename(directory)).toBe('src');
    expect(workers).toBeGreaterThanOrEqual(4);
    expect(others).toEqual({ out: resolve('.flowstate/publish'), keep: 3, failAt: null, killAfter: null });
  });

  it('takes a directory and options', () => {
    const args = [
      'some/where',
      '--out',
      '/else',
      '--keep',
      '1',
      '--workers=2',
      '--fail-at',
      'verify',
      '--kill-after',
      '25',
    ];
    expect(readCommandLine(args)).toEqual({
      directory: resolve('some/where'),
      out: '/else',
      keep: 1,
      workers: 2,
      failAt: 'verify',
      killAfter: 25,
    });
    expect(readCommandLine(['--', '--keep'])).toMatchObject({ directory: resolve('--keep') });
  });

  it('explains itself', () => {
    const { help } = readCommandLine(['--help']) as { help: string };
    for (const step of STEPS) expect(help).toContain(step);
    for (const word of ['--out', '--keep', '--workers', '--fail-at', '--kill-after', 'Exit codes']) {
      expect(help).toContain(word);
    }
  });

  it.each([
    [['--fail-at', 'nowhere'], `--fail-at takes one of ${STEPS.join(', ')}, got 'nowhere'`],
    [['--kill-after', '0'], "--kill-after takes a whole number from 1, got '0'"],
    [['--keep', 'all'], "--keep takes a whole number from 1, got 'all'"],
    [['--workers', '1.5'], "--workers takes a whole number from 1, got '1.5'"],
    [['--workers'], 'The options are --out, --keep, --workers, --fail-at, --kill-after, --help'],
    [['--worker', '2'], 'The options are --out, --keep, --workers, --fail-at, --kill-after, --help'],
    [['one', 'another'], 'One directory can be published at once, got also another'],
    [[''], 'A directory cannot have an empty name'],
    [['--out', ''], 'A directory cannot have an empty name'],
  ])('refuses %j', (args, message) => {
    expect(() => readCommandLine(args)).toThrow(CannotStartError);
    expect(() => readCommandLine(args)).toThrow(message);
  });
});
