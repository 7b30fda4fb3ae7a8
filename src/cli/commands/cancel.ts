import type { Command } from 'commander';
import { loadUntyped } from '../../engines/load.js';
import { UnsupportedError } from '../../errors.js';
import type { FlowDetail } from '../../persistence/details.js';
import type { Act } from '../command.js';
import type { ValueOptions } from '../command-options.js';
import { readValueOptions, withValueOptions } from '../command-options.js';
import type { Asked } from '../control/client.js';
import { loadOptions } from '../engine-options.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { readRun } from '../find-run.js';
import { askLive } from '../live-run.js';
import { perform } from '../perform.js';
import { report } from '../report.js';
import { flowOf, modulePathOf, optionsOf, resumeCommand } from '../run-origin.js';
import { prose } from '../prose.js';
import type { Session } from '../session.js';
import { UsageError } from '../usage-error.js';

interface CancelOptions extends ValueOptions {
  readonly module?: string;
}

export function defineCancel(program: Command, act: Act): Command {
  const command = program
    .command('cancel')
    .summary('stop a run and undo what it did')
    .description(
      prose(`Stops a run and undoes everything that it did: it ends REVERTED. It waits until that is done.

A run that a process of the same user on this machine runs with flowstate run or resume is undone by that process. Any
other is taken up and undone here, with the module that it was made from. If a process that cannot be reached, on
another machine for instance, runs it after all, that process loses the run: the next time it writes it is refused, and
stops. What it had under way then is undone without waiting for it.`),
    )
    .argument('<run>', 'the run')
    .option('--module <file>', 'take the flow from this module');
  return withValueOptions(command).action(act(cancel));
}

async function cancel(session: Session, options: CancelOptions, text: string): Promise<ExitCode> {
  const flow = await readRun(await session.connection(), text);
  const { uuid, name, state } = flow;
  const asked = await askLive('cancel', flow, session).catch((error: unknown): Asked => {
    // Where nobody can be asked, nobody of whom one could know runs it.
    if (error instanceof UnsupportedError) return { kind: 'nobody' };
    throw error;
  });
  switch (asked.kind) {
    case 'accepted':
      session.say(`The process ${asked.pid} undoes it`);
      return answer(flow, asked.pid, await asked.ended(), session);
    case 'refused':
      throw new UsageError(`The run ${uuid} of ${name} cannot be cancelled: ${asked.why}`);
    case 'silent':
      throw new UsageError(
        `The process that runs ${uuid} does not answer. It has been asked, and hears of it when it is no longer busy`,
      );
    case 'nobody':
      if (state !== 'SUCCESS' && state !== 'REVERTED' && state !== 'FAILURE') return undo(flow, session, options);
      throw new UsageError(`The run ${uuid} of ${name} has ended ${state}, and cannot be cancelled`);
  }
}

async function undo(flowDetail: FlowDetail, session: Session, options: CancelOptions): Promise<ExitCode> {
  const flow = await flowOf(flowDetail, session, options.module);
  const modulePath = modulePathOf(flowDetail, session, options.module);
  const engine = await loadUntyped(
    flow,
    {
      ...loadOptions(optionsOf(flowDetail), {}, modulePath),
      flowDetail,
      backend: await session.backend(),
      environment: session.platform.environment,
    },
    undefined,
  );
  try {
    const values = readValueOptions(options);
    const reason = new Error('cancelled from the command line');
    const performed = await perform(engine, session, { ...values, act: () => engine.cancel(reason) });
    report(engine, performed, session, values);
    return performed.state === 'REVERTED' ? EXIT.done : performed.code;
  } finally {
    await engine.close();
  }
}

function answer(flow: FlowDetail, pid: number, state: string | null, session: Session): ExitCode {
  const goOn = resumeCommand(flow.uuid, session);
  const text =
    state === 'REVERTED'
      ? 'Cancelled: everything was reverted'
      : state === null
        ? `The process ${pid} is gone without a word. That the run is to be undone is kept; go on with: ${goOn}`
        : `The run has ended ${state}`;
  session.answer({ run: flow.uuid, flow: flow.name, pid, state }, text);
  return state === 'REVERTED' ? EXIT.done : EXIT.failed;
}
