import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { storedInspector, storedInspectorPage } from '../../../visualizations/inspector/inspector.js';
import type { Act } from '../command.js';
import type { ValueOptions } from '../command-options.js';
import { readValueOptions, withValueOptions } from '../command-options.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { findRun } from '../find-run.js';
import { portNumber, several } from '../option-values.js';
import type { Platform } from '../platform.js';
import { prose } from '../prose.js';
import type { Session } from '../session.js';
import { UsageError } from '../usage-error.js';
import type { FoundFlow } from '../../persistence/backend.js';

interface InspectOptions extends ValueOptions {
  readonly save?: string;
  readonly port?: number;
  readonly host?: string;
  readonly allowHost?: readonly string[];
}

export function defineInspect(program: Command, act: Act): Command {
  const command = program
    .command('inspect')
    .summary('look at a run on a page in the browser')
    .description(
      prose(`Serves a page that shows a run: its flow as a graph with the states of its atoms, the statecharts, what happened
when, what waits for what, and any moment of it again. It shows what another process does to the run about a second
later. Ctrl-C ends it. With --save the page is written into a file that needs nothing else.

It listens on this machine alone, unless --host says otherwise: whoever reaches it can read the run, and change nothing.
Arguments and results are shown only with --values. Imports nothing.`),
    )
    .argument('[run]', 'the run; default: the one that was changed last')
    .option('--save <file>', 'write the page into a file instead')
    .option('--port <n>', 'where it listens; default: a port that is free', portNumber)
    .option('--host <address>', 'the address that it listens on', '127.0.0.1')
    .option(
      '--allow-host <name>',
      'a name under which it answers, beside those of this machine; may be given several times',
      several,
    );
  return withValueOptions(command).action(act(inspect));
}

async function inspect(session: Session, options: InspectOptions, text: string | undefined): Promise<ExitCode> {
  const { platform } = session;
  const { flow } = await find(session, text);
  const stored = {
    ...readValueOptions(options),
    backend: await session.backend(),
    run: flow.uuid,
    clock: platform.environment.clock,
  };
  const document = { run: flow.uuid, flow: flow.name };
  if (options.save !== undefined) {
    const path = resolve(platform.cwd, options.save);
    await writeFile(path, await storedInspectorPage(stored));
    session.answer({ ...document, output: path }, '');
    session.say(`Written to ${path}`);
    return EXIT.done;
  }
  const { port, host, allowHost: allowedHosts } = options;
  // Ctrl-C is heard from the moment on at which the address is known.
  using ended = untilSignal(platform);
  await using page = await storedInspector(stored, { port, host, allowedHosts, keepAlive: true });
  session.answer({ ...document, url: page.url }, page.url);
  session.say(`Shows the run ${flow.uuid} of ${flow.name}. Ctrl-C ends it.`);
  await ended.promise;
  return EXIT.done;
}

/** @throws {UsageError} for a run that is not there. */
async function find(session: Session, text: string | undefined): Promise<FoundFlow> {
  const connection = await session.connection();
  if (text !== undefined) return findRun(connection, text);
  const last = (await connection.findFlowDetails()).at(-1);
  if (last === undefined) throw new UsageError('There are no runs in the store yet');
  return last;
}

/** Resolves when somebody asks the process to end. */
function untilSignal(platform: Platform): Disposable & { readonly promise: Promise<void> } {
  const registrations: Disposable[] = [];
  const promise = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) registrations.push(platform.onSignal(signal, done));
  });
  return {
    promise,
    [Symbol.dispose]: () => {
      for (const registration of registrations) registration[Symbol.dispose]();
    },
  };
}
