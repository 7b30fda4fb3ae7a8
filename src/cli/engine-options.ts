import type { Command } from 'commander';
import type { LoadOptions } from '../engines/load.js';
import { executorName } from '../executors/named.js';
import type { ValueOptions } from './command-options.js';
import { duration, namedValue, several, wholeNumber } from './option-values.js';
import type { RunOptions } from './run-origin.js';
import type { Session } from './session.js';
import { placeOf } from './user-module.js';

/** Options of commands that run an engine. */
export interface EngineCommandOptions extends ValueOptions {
  readonly store?: ReadonlyMap<string, unknown>;
  readonly engine?: string;
  readonly executor?: string;
  readonly maxWorkers?: number;
  readonly taskModule?: readonly string[];
  readonly deadline?: number;
}

export function withEngineOptions(command: Command): Command {
  return command
    .option(
      '--store <name=value>',
      'a value that the flow needs, as JSON, or as text where it is not; may be given several times',
      namedValue,
    )
    .option('--engine <kind>', 'serial or parallel; default: serial, with --executor parallel')
    .option(
      '--executor <name>',
      'where tasks run: async, workerThreads or childProcess, whose tasks print to stdout also with --json',
    )
    .option('--max-workers <n>', 'how many tasks may run at once', wholeNumber)
    .option(
      '--task-module <file>',
      'for threads and processes: a module that exports the tasks; default: MODULE; may be given several times',
      several,
    )
    .option('--deadline <duration>', 'how long the run may take, such as 90s or 2h; then it is undone', duration);
}

/** How a run is to be run: what was given is stronger than what is known from before. */
export function readRunOptions(
  given: EngineCommandOptions,
  { platform }: Session,
  before: RunOptions = {},
): RunOptions {
  const { engine, executor, maxWorkers, taskModule } = given;
  return {
    ...before,
    ...(executor === undefined ? {} : { engine: 'parallel', executor }),
    ...(engine === undefined ? {} : { engine }),
    ...(engine === 'serial' && executor === undefined ? { executor: undefined, maxWorkers: undefined } : {}),
    ...(maxWorkers === undefined ? {} : { maxWorkers }),
    ...(taskModule === undefined ? {} : { taskModules: taskModule.map((file) => placeOf(file, platform.cwd).path) }),
  };
}

/** The same as an engine takes it. */
export function loadOptions(
  { engine, executor, maxWorkers, taskModules }: RunOptions,
  { deadline }: EngineCommandOptions,
  modulePath: string | null,
): LoadOptions {
  // Threads and processes load the tasks by themselves.
  const isPool = executor !== undefined && executorName(executor) !== 'async';
  const modules = taskModules ?? (isPool && modulePath !== null ? [modulePath] : undefined);
  return {
    // Where nobody looks the journal costs little, and it cannot be written afterwards.
    journal: true,
    // What there is not is the engine's to say.
    ...(engine === undefined ? {} : { engine: engine as NonNullable<LoadOptions['engine']> }),
    ...(executor === undefined ? {} : { executor }),
    ...(maxWorkers === undefined ? {} : { maxWorkers }),
    ...(modules === undefined ? {} : { taskModules: modules }),
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
  };
}

export function storeOf({ store }: EngineCommandOptions): Record<string, unknown> | undefined {
  return store === undefined ? undefined : Object.fromEntries(store);
}
