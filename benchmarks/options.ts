import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import type { SubjectName } from './measure.js';
import type { Workload } from './workloads.js';
import { WORKLOADS, workloadsNamed } from './workloads.js';

export const USAGE = `npm run bench -- [WORKLOAD…] [--n 1000,10000] [--repeats 5] [--engine serial|parallel|both] [--json FILE]
                 [--quick] [--warm] [--seed 1] [--directory FOLDER]

Workloads, by default all (W4 means all of W4):
${WORKLOADS.map(({ id, title, sizes }) => `  ${id.padEnd(10)} ${title}; n = ${sizes.join(', ')}`).join('\n')}

  --n          sizes, in place of each workload's own
  --repeats    measured runs of each subject in each cell (default 5; 1 with --quick)
  --engine     which of flowstate's engines is measured (default serial)
  --json       write the rows to this file
  --quick      the sizes up to 1000 only, once
  --warm       each process, the reference's too, runs a small flow of the workload first, which is not measured;
               each cell is measured cold as well
  --seed       of the random graphs
  --directory  where durable workloads make their files (default: the system's folder for temporary files)`;

export interface Options {
  readonly workloads: readonly Workload[];
  /** null: each workload's own. */
  readonly sizes: readonly number[] | null;
  readonly largest: number;
  readonly repeats: number;
  readonly subjects: readonly SubjectName[];
  readonly json: string | null;
  readonly seed: number;
  /** Whether cells are measured in warm processes, too. */
  readonly warm: boolean;
  readonly directory: string;
  readonly help: boolean;
}

const ENGINES: ReadonlyMap<string, readonly SubjectName[]> = new Map<string, readonly SubjectName[]>([
  ['serial', ['flowstate']],
  ['parallel', ['flowstate-parallel']],
  ['both', ['flowstate', 'flowstate-parallel']],
]);
const LARGEST_QUICK = 1_000;

/**
 * Reads what follows `npm run bench --`.
 *
 * @throws {TypeError} for an option that there is not.
 * @throws {RangeError} for a value out of range, naming the option.
 */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      n: { type: 'string' },
      repeats: { type: 'string' },
      engine: { type: 'string', default: 'serial' },
      json: { type: 'string' },
      quick: { type: 'boolean', default: false },
      warm: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      directory: { type: 'string', default: tmpdir() },
      help: { type: 'boolean', default: false },
    },
  });
  const subjects = ENGINES.get(values.engine);
  if (subjects === undefined) {
    throw new RangeError(`--engine takes ${[...ENGINES.keys()].join(', ')}, got ${values.engine}`);
  }
  return {
    workloads: workloadsNamed(positionals),
    sizes: values.n === undefined ? null : values.n.split(',').map((size) => wholeNumber('n', size, 2)),
    largest: values.quick && values.n === undefined ? LARGEST_QUICK : Infinity,
    repeats: values.repeats === undefined ? (values.quick ? 1 : 5) : wholeNumber('repeats', values.repeats, 1),
    subjects,
    json: values.json ?? null,
    seed: wholeNumber('seed', values.seed, 0),
    warm: values.warm,
    directory: values.directory,
    help: values.help,
  };
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`--${option} takes a whole number from ${least}, got ${JSON.stringify(text)}`);
  }
  return value;
}
