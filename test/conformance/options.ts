import { parseArgs } from 'node:util';
import type { PoolName } from './pool-executor.js';

/** What the command line asks for. Plain data: it is handed to another thread. */
export interface CommandLine {
  readonly directory: string;
  readonly engine: 'serial' | 'parallel';
  /** Where the parallel engine runs tasks. null: engine is serial. */
  readonly executor: 'async' | PoolName | 'workers' | null;
  /** The broker, for workers. */
  readonly url: string | null;
  readonly backend: string | undefined;
  readonly interpreter: 'native' | 'compiled';
  readonly checkpoint: 'round' | 'change' | null;
  readonly crash: 'every-commit' | null;
  readonly lenient: boolean;
  readonly filter: string;
  /** How many cases are taken, at random; null: all. */
  readonly sample: number | null;
  readonly seed: number;
  readonly timeoutMs: number;
}

const DEFAULT_DIRECTORY = 'test/conformance/cases';
const DEFAULT_TIMEOUT_MS = 10_000;
/** At every commit of a case a process dies and another goes on: that is many runs. */
const CRASH_TIMEOUT_MS = 120_000;

export const USAGE = `Runs conformance cases.

npm run conformance -- [DIRECTORY] [options]

  DIRECTORY                      folder of case files; default ${DEFAULT_DIRECTORY}
  --engine serial|parallel|workers
                                 default serial; workers: as parallel, with tasks in worker processes of their own
  --url URL                      the broker, for --engine workers; over memory: the worker is in the engine's process
  --executor async|workerThreads|childProcess
                                 where the parallel engine runs tasks; default async
  --backend URL                  where runs are kept; default in memory. On a database server, in a schema or a
                                 database of their own, which is dropped at the end
  --interpreter compiled|native  what steps the machines; default compiled
  --checkpoint round|change      default: cases without a crash with both
  --crash every-commit           die at every commit and compare where the run ends
  --lenient                      compare only what section 4 of the format promises
  --filter TEXT                  only cases whose group/name contains this
  --sample N                     only so many of the cases, at random
  --seed N                       of the sample; default 1
  --timeout-ms N                 longest time for one case; default ${DEFAULT_TIMEOUT_MS}
`;

function oneOf<const Choice extends string>(name: string, value: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new TypeError(`--${name} takes ${choices.join(' or ')}, got ${value}`);
  return found;
}

function wholeNumber(name: string, value: string): number {
  const parsed = Number(value);
  if (!Number.isSafeInteger(parsed) || parsed < 1)
    throw new TypeError(`--${name} takes a whole number from 1, got ${value}`);
  return parsed;
}

/** @throws {TypeError} for an option that there is not, or a value that it does not take. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      engine: { type: 'string', default: 'serial' },
      executor: { type: 'string' },
      url: { type: 'string' },
      backend: { type: 'string' },
      interpreter: { type: 'string', default: 'compiled' },
      checkpoint: { type: 'string' },
      crash: { type: 'string' },
      lenient: { type: 'boolean', default: false },
      filter: { type: 'string', default: '' },
      sample: { type: 'string' },
      seed: { type: 'string', default: '1' },
      'timeout-ms': { type: 'string' },
    },
  });
  const [directory = DEFAULT_DIRECTORY, ...others] = positionals;
  if (others.length > 0) throw new TypeError(`one directory is taken, got ${positionals.join(' ')}`);
  const crash = values.crash === undefined ? null : oneOf('crash', values.crash, ['every-commit']);
  const timeout = values['timeout-ms'];
  const engine = oneOf('engine', values.engine, ['serial', 'parallel', 'workers']);
  if (values.executor !== undefined && engine !== 'parallel')
    throw new TypeError('--executor is for --engine parallel');
  if ((values.url === undefined) === (engine === 'workers'))
    throw new TypeError('--url is for --engine workers, which needs it');
  const executor = oneOf('executor', values.executor ?? 'async', ['async', 'workerThreads', 'childProcess']);
  return {
    directory,
    engine: engine === 'workers' ? 'parallel' : engine,
    executor: engine === 'serial' ? null : engine === 'workers' ? 'workers' : executor,
    url: values.url ?? null,
    backend: values.backend,
    interpreter: oneOf('interpreter', values.interpreter, ['compiled', 'native']),
    checkpoint: values.checkpoint === undefined ? null : oneOf('checkpoint', values.checkpoint, ['round', 'change']),
    crash,
    lenient: values.lenient,
    filter: values.filter,
    sample: values.sample === undefined ? null : wholeNumber('sample', values.sample),
    seed: wholeNumber('seed', values.seed),
    timeoutMs:
      timeout === undefined
        ? crash === null
          ? DEFAULT_TIMEOUT_MS
          : CRASH_TIMEOUT_MS
        : wholeNumber('timeout-ms', timeout),
  };
}
