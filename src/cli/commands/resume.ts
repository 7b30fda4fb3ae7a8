import type { Command } from 'commander';
import { loadUntyped } from '../../engines/load.js';
import { PlanChangedError } from '../../engines/plan-consent.js';
import { MissingDependenciesError } from '../../errors.js';
import type { Act } from '../command.js';
import { readValueOptions, withValueOptions } from '../command-options.js';
import type { EngineCommandOptions } from '../engine-options.js';
import { loadOptions, readRunOptions, storeOf, withEngineOptions } from '../engine-options.js';
import type { ExitCode } from '../exit-codes.js';
import { readRun } from '../find-run.js';
import { refuseWhenRunning } from '../live-run.js';
import { perform } from '../perform.js';
import { report } from '../report.js';
import { flowOf, modulePathOf, optionsOf } from '../run-origin.js';
import { prose } from '../prose.js';
import type { Session } from '../session.js';
import { UsageError } from '../usage-error.js';

interface ResumeOptions extends EngineCommandOptions {
  readonly module?: string;
  readonly again?: true;
  readonly acceptPlan?: true;
}

export function defineResume(program: Command, act: Act): Command {
  const command = program
    .command('resume')
    .summary('go on with a run that was suspended, or whose process has died')
    .description(
      prose(`Goes on with a run: after Ctrl-C, after flowstate suspend, or when its process has died. What has finished is not
done again. The flow comes from the module that the run was made from, which is imported; the engine is as it was.

A run that flowstate runs on this machine for the same user is left to its process. If one that cannot be seen from here
runs it after all, that one loses the run: the next time it writes it is refused, and stops.`),
    )
    .argument('<run>', 'the run')
    .option('--module <file>', 'take the flow from this module')
    .option('--accept-plan', 'go on although the flow is another one than the run was stored with; see flowstate check')
    .option('--again', 'begin again with a run that was reverted');
  return withValueOptions(withEngineOptions(command)).action(act(resume));
}

async function resume(session: Session, options: ResumeOptions, text: string): Promise<ExitCode> {
  const flowDetail = await readRun(await session.connection(), text);
  const { uuid, name, state } = flowDetail;
  if (state === 'REVERTED' && options.again !== true) {
    throw new UsageError(`The run ${uuid} of ${name} was reverted: --again begins with it again`);
  }
  await refuseWhenRunning(flowDetail, session);
  const flow = await flowOf(flowDetail, session, options.module);
  const runOptions = readRunOptions(options, session, optionsOf(flowDetail));
  const load = loadOptions(runOptions, options, modulePathOf(flowDetail, session, options.module));
  const engine = await loadUntyped(
    flow,
    {
      ...load,
      flowDetail,
      backend: await session.backend(),
      environment: session.platform.environment,
      ...(options.acceptPlan === true ? { onPlanChange: 'accept' } : {}),
    },
    storeOf(options),
  );
  try {
    const values = readValueOptions(options);
    const performed = await perform(engine, session, { ...values, act: () => engine.run() }).catch(explained);
    report(engine, performed, session, values);
    return performed.code;
  } finally {
    await engine.close();
  }
}

/** What the library says of its options, in the words of the command line. */
function explained(error: unknown): never {
  if (error instanceof PlanChangedError) {
    throw new UsageError(
      `The run ${error.flowUuid} was stored with another plan of the flow. What needs consent is marked with !:\n` +
        `${String(error.difference)}\nTo go on nevertheless: --accept-plan. To rename atoms or convert their results, ` +
        'load it with onPlanChange in a program of your own',
      { cause: error.cause },
    );
  }
  if (error instanceof MissingDependenciesError) {
    throw new UsageError('The flow lacks values: give them with --store NAME=VALUE', { cause: error });
  }
  throw error;
}
