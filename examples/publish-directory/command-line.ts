import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The steps, in the order in which they are done. `compress` is one atom for each file, the others are one each. */
export const STEPS = ['scan', 'compress', 'manifest', 'verify', 'publish', 'latest', 'prune'] as const;
export type Step = (typeof STEPS)[number];

/** Where this file is once it is built: `dist/examples/publish-directory/`. */
const REPOSITORY = new URL('../../../', import.meta.url);

const HELP = `Publishes a directory as a release pipeline would: every file compressed, listed with its SHA-256,
verified, and made visible at once as published/<n>, to which published/latest then leads.

  npm start -- [DIRECTORY] [options]

  DIRECTORY        what to publish; default: src/ of this repository
  --out DIR        where staging/, published/ and state.db are; default: .flowstate/publish
  --keep N         versions that are kept, the new one included; default: 3
  --workers N      files that are worked on at once; default: as many as there are processors, at least 4
  --fail-at STEP   do the step and then fail, to see everything reverted;
                   STEP is one of ${STEPS.join(', ')}
  --kill-after N   end this process with SIGKILL when N atoms of the run have finished;
                   the same command again goes on with the run
  --help           show this

Exit codes
  0    published
  1    something failed, and everything was reverted
  2    not begun: wrong usage, no such directory, another process is publishing, …
  3    something failed and could not be reverted or recorded: look at the message; the same command tries again
  130  interrupted (Ctrl-C; 143 for SIGTERM); the same command goes on
`;

export interface Options {
  /** Absolute. */
  readonly directory: string;
  /** Absolute. */
  readonly out: string;
  readonly keep: number;
  readonly workers: number;
  readonly failAt: Step | null;
  readonly killAfter: number | null;
}

/** Nothing was begun. The message is for whoever typed the command. */
export class CannotStartError extends Error {
  override readonly name = 'CannotStartError';
}

const OPTIONS = {
  out: { type: 'string' },
  keep: { type: 'string' },
  workers: { type: 'string' },
  'fail-at': { type: 'string' },
  'kill-after': { type: 'string' },
  help: { type: 'boolean' },
} as const;

/**
 * Reads the command line.
 *
 * @returns the help, when that was asked for.
 * @throws {CannotStartError} naming what is wrong and what is accepted.
 */
export function readCommandLine(args: readonly string[]): Options | { readonly help: string } {
  const { values, positionals } = parsed(args);
  if (values.help === true) return { help: HELP };
  const [directory, ...others] = positionals;
  if (others.length > 0)
    throw new CannotStartError(`One directory can be published at once, got also ${others.join(', ')}`);
  if (directory === '' || values.out === '') throw new CannotStartError('A directory cannot have an empty name');
  return {
    directory: directory === undefined ? fileURLToPath(new URL('src', REPOSITORY)) : resolve(directory),
    out: resolve(values.out ?? '.flowstate/publish'),
    keep: wholeNumber('--keep', values.keep) ?? 3,
    workers: wholeNumber('--workers', values.workers) ?? Math.max(4, availableParallelism()),
    failAt: step(values['fail-at']),
    killAfter: wholeNumber('--kill-after', values['kill-after']),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const known = Object.keys(OPTIONS).map((name) => `--${name}`);
    throw new CannotStartError(`${error.message}\nThe options are ${known.join(', ')}`);
  }
}

function wholeNumber(option: string, given: string | undefined): number | null {
  if (given === undefined) return null;
  const value = Number(given);
  if (/^\d+$/.test(given) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new CannotStartError(`${option} takes a whole number from 1, got '${given}'`);
}

function step(given: string | undefined): Step | null {
  if (given === undefined) return null;
  const found = STEPS.find((name) => name === given);
  if (found === undefined) throw new CannotStartError(`--fail-at takes one of ${STEPS.join(', ')}, got '${given}'`);
  return found;
}
