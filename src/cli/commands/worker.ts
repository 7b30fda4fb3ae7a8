import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Worker } from '../../workers/worker/worker.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { several } from '../option-values.js';
import type { StopSignal } from '../platform.js';
import { prose } from '../prose.js';
import type { CommonOptions, Session } from '../session.js';
import { UsageError } from '../usage-error.js';
import type { WorkerConfig } from '../worker-config.js';
import { readWorkerConfig } from '../worker-config.js';

interface WorkerCommandOptions extends CommonOptions {
  readonly config?: string;
  readonly url?: string;
  readonly exchange?: string;
  readonly topic?: string;
  readonly task?: readonly string[];
}

export function defineWorker(program: Command, act: Act): Command {
  return program
    .command('worker')
    .summary('run tasks for engines in other processes and on other machines')
    .description(
      prose(`Takes requests of a topic from a broker, runs their tasks, and answers. It runs the tasks that it is told to, by
their names, and no others. The file is JSON, or a module whose default export is an object, with the options of Worker:
url, exchange, topic, tasks, taskModules, executor, maxWorkers, keys and so on, and drainMs; modules in it that begin
with a dot are looked for beside it. What is given here goes before what is in the file.

SIGTERM and Ctrl-C let it finish what it has, for drainMs at most, and end it with 0; what is left then is done by other
workers. A second one ends it at once.`),
    )
    .option('--config <file>', 'where its options are')
    .option('--url <url>', 'the broker, such as amqp://ann:secret@broker, redis://broker or filesystem:/queues')
    .option('--exchange <name>', 'the exchange')
    .option('--topic <name>', 'whose requests it takes')
    .option('--task <module>', 'a module of tasks, or MODULE:EXPORT; may be given several times', several)
    .action(act(worker));
}

async function worker(session: Session, options: WorkerCommandOptions): Promise<ExitCode> {
  const { platform } = session;
  const config = await configFor(options, platform.cwd);
  const running = new Worker({
    ...config.options,
    log: (line) => session.say(line),
    environment: platform.environment,
  });
  let stoppedBy: StopSignal | null = null;
  const stop = (signal: StopSignal) => {
    if (stoppedBy !== null) {
      platform.exit(EXIT[signal]);
      return;
    }
    stoppedBy = signal;
    session.say(`Takes no more requests, and finishes those that it has. ${signal} again ends it at once.`);
    void running.stop({ drainMs: config.drainMs });
  };
  using _interrupt = platform.onSignal('SIGINT', () => stop('SIGINT'));
  using _terminate = platform.onSignal('SIGTERM', () => stop('SIGTERM'));
  await running.run();
  const { topic, id, statistics } = running;
  const { finished, repeated, rejected, released } = statistics;
  session.answer(
    { worker: id, topic, ...statistics },
    `${finished} requests done, ${repeated} answered again, ${rejected} rejected, ${released} given back`,
  );
  return EXIT.done;
}

/** @throws {UsageError} when there is neither a file nor a topic. */
async function configFor({ config, url, exchange, topic, task }: WorkerCommandOptions, cwd: string) {
  const { options, drainMs }: WorkerConfig =
    config === undefined
      ? { options: { topic: topic ?? '' }, drainMs: undefined }
      : await readWorkerConfig(resolve(cwd, config));
  const given = { url, exchange, topic, tasks: task };
  const merged = {
    ...options,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  if (config === undefined && topic === undefined) {
    throw new UsageError('A worker needs a topic, and tasks: give --config, or --url, --topic and --task');
  }
  return { options: merged, drainMs };
}
