import type { Command } from 'commander';
import { findFactory, makeFlow, withFactory } from '../../engines/factories.js';
import { loadUntyped } from '../../engines/load.js';
import type { Flow } from '../../flows/flow.js';
import type { Task } from '../../atoms/task.js';
import { MissingDependenciesError } from '../../errors.js';
import { newLogBook } from '../../persistence/books.js';
import type { Act } from '../command.js';
import { readValueOptions, withValueOptions } from '../command-options.js';
import type { EngineCommandOptions } from '../engine-options.js';
import { loadOptions, readRunOptions, storeOf, withEngineOptions } from '../engine-options.js';
import type { ExitCode } from '../exit-codes.js';
import { severalValues } from '../option-values.js';
import { perform } from '../perform.js';
import { report } from '../report.js';
import { withOptions } from '../run-origin.js';
import { prose } from '../prose.js';
import type { Session } from '../session.js';
import { UsageError } from '../usage-error.js';
import { loadModule, placeOf } from '../user-module.js';

interface RunCommandOptions extends EngineCommandOptions {
  readonly arg?: readonly unknown[];
}

export function defineRun(program: Command, act: Act): Command {
  const command = program
    .command('run')
    .summary('run a flow')
    .description(
      prose(`Runs a flow from its beginning, and prints what it provides.

Ctrl-C suspends the run: what is under way comes to its end, and nothing more is started. A second Ctrl-C leaves at
once. Either way, and after a crash, the run goes on with: flowstate resume RUN`),
    )
    .argument('<module>', 'the file of the flow')
    .option(
      '--arg <value>',
      'an argument of the function that makes the flow, as JSON, or as text where it is not; may be given several times',
      severalValues,
    );
  return withValueOptions(withEngineOptions(command)).action(act(run));
}

async function run(session: Session, options: RunCommandOptions, text: string): Promise<ExitCode> {
  const { environment, cwd } = session.platform;
  const module = await loadModule(placeOf(text, cwd));
  const { arg: args = [] } = options;
  if (module.factory === null && args.length > 0) {
    throw new UsageError(`--arg is for a function that makes a flow: ${text} has a flow that is made already`);
  }
  const found = await findFactory(module.name, { args }, module.factories);
  const flow = await makeFlow(found);
  const runOptions = readRunOptions(options, session);
  const store = storeOf(options);
  await rehearse(flow, store);
  const backend = await session.backend();
  const load = { ...loadOptions(runOptions, options, module.path), backend, environment };
  const book = newLogBook({ name: flow.name }, environment);
  const engine = await loadUntyped(flow, { ...load, book }, store, (meta) =>
    withOptions(withFactory(meta, found.details), runOptions),
  );
  try {
    session.say(`Run ${engine.storage.flowUuid} of ${flow.name}`);
    const values = readValueOptions(options);
    const performed = await perform(engine, session, { ...values, act: () => engine.run() });
    report(engine, performed, session, values);
    return performed.code;
  } finally {
    await engine.close();
  }
}

/** Finds out in memory whether the flow can begin: a run that cannot is not entered in the store. */
async function rehearse(flow: Flow | Task, store: Record<string, unknown> | undefined): Promise<void> {
  const engine = await loadUntyped(flow, {}, store);
  try {
    engine.compile();
    await engine.prepare();
    engine.validate();
  } catch (error) {
    if (!(error instanceof MissingDependenciesError)) throw error;
    throw new UsageError('The flow lacks values: give them with --store NAME=VALUE', { cause: error });
  } finally {
    await engine.close();
  }
}
