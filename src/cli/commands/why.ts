import type { Command } from 'commander';
import { printable } from '../../formatters/terminal-text.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { readRun } from '../find-run.js';
import { lookingEngine } from '../look-at.js';
import type { CommonOptions, Session } from '../session.js';

interface WhyOptions extends CommonOptions {
  readonly module?: string;
}

export function defineWhy(program: Command, act: Act): Command {
  return program
    .command('why')
    .summary('say why a run has not ended')
    .description(
      'Says of each atom that has not come to its end what it waits for. Imports the module of the run; where that is not to be had, it goes by the flow that the run was stored with.',
    )
    .argument('<run>', 'the run')
    .option('--module <file>', 'take the flow from this module')
    .action(act(why));
}

async function why(session: Session, { module }: WhyOptions, text: string): Promise<ExitCode> {
  const detail = await readRun(await session.connection(), text);
  const engine = await lookingEngine(detail, session, module);
  try {
    const reasons = engine.why();
    const { uuid: run, name: flow } = detail;
    const state = engine.storage.getFlowState();
    const lines = reasons.map(({ message }) => printable(message));
    session.answer(
      { run, flow, state, reasons },
      reasons.length === 0 ? `Nothing waits: the run has ended ${state}` : lines.join('\n'),
    );
    return EXIT.done;
  } finally {
    await engine.close();
  }
}
