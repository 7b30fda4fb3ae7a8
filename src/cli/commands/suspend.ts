import type { Command } from 'commander';
import { UnsupportedError } from '../../errors.js';
import type { FlowDetail } from '../../persistence/details.js';
import type { Act } from '../command.js';
import type { Asked } from '../control/client.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { readAgain, readRun } from '../find-run.js';
import { askLive } from '../live-run.js';
import { resumeCommand } from '../run-origin.js';
import { prose } from '../prose.js';
import type { CommonOptions, Session } from '../session.js';

interface SuspendOptions extends CommonOptions {
  readonly wait: boolean;
}

export function defineSuspend(program: Command, act: Act): Command {
  return program
    .command('suspend')
    .summary('stop a run that another process runs')
    .description(
      prose(`Asks the process that runs a run to suspend it, as Ctrl-C there would, and waits until what is under way has come
to its end.

It reaches runs that the same user began on this machine with flowstate run or resume, in any store but memory. It does
not reach processes of other machines or users, nor programs that use the library without this command.`),
    )
    .argument('<run>', 'the run')
    .option('--no-wait', 'do not wait for what is under way')
    .action(act(suspend));
}

async function suspend(session: Session, { wait }: SuspendOptions, text: string): Promise<ExitCode> {
  const connection = await session.connection();
  const flow = await readRun(connection, text);
  const asked = await askLive('suspend', flow, session).catch((error: unknown): Asked => {
    if (error instanceof UnsupportedError) return { kind: 'refused', why: error.message };
    throw error;
  });
  if (asked.kind !== 'accepted') return notReached(asked, (await readAgain(connection, flow)) ?? flow, session);
  const { pid } = asked;
  const document = { run: flow.uuid, flow: flow.name, pid, asked: true };
  if (!wait) {
    asked.leave();
    session.answer(document, `The process ${pid} suspends ${flow.uuid}`);
    return EXIT.done;
  }
  session.say(`The process ${pid} lets what is under way come to its end`);
  const state = await asked.ended();
  const isSuspended = state === 'SUSPENDED';
  session.answer({ ...document, state }, endText(flow, pid, state, session));
  return isSuspended ? EXIT.done : EXIT.failed;
}

function endText(flow: FlowDetail, pid: number, state: string | null, session: Session): string {
  const command = resumeCommand(flow.uuid, session);
  if (state === null) return `The process ${pid} is gone without a word. Go on with: ${command}`;
  return state === 'SUSPENDED' ? `Suspended. Go on with: ${command}` : `The run has ended meanwhile: ${state}`;
}

/** Nothing was done, and nothing is marked: a run that nobody runs begins with nothing until somebody resumes it. */
function notReached(asked: Exclude<Asked, { kind: 'accepted' }>, flow: FlowDetail, session: Session): ExitCode {
  const state = flow.state ?? 'PENDING';
  const isAtRest = state !== 'RUNNING' && state !== 'SUSPENDING' && state !== 'RESUMING';
  const isDone = asked.kind === 'nobody' && state === 'SUSPENDED';
  const why = isAtRest ? restText(state) : whyNot(asked, state, resumeCommand(flow.uuid, session));
  session.answer({ run: flow.uuid, flow: flow.name, pid: null, asked: false, state, why }, why);
  return isDone ? EXIT.done : EXIT.failed;
}

function restText(state: string): string {
  return state === 'SUSPENDED' ? 'It is suspended already' : `There is nothing to suspend: the run is ${state}`;
}

function whyNot(asked: Exclude<Asked, { kind: 'accepted' }>, state: string, resume: string): string {
  switch (asked.kind) {
    case 'refused':
      return `It cannot be suspended: ${asked.why}`;
    case 'silent':
      return 'Its process does not answer. It has been asked, and hears of it when it is no longer busy';
    case 'nobody':
      return (
        `The run is ${state}, and no process that can be reached from here runs it. ` +
        `If its process has died, go on with: ${resume}`
      );
  }
}
