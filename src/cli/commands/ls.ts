import type { Command } from 'commander';
import type { FlowState } from '../../../machines/index.js';
import { printable } from '../../formatters/terminal-text.js';
import type { FoundFlow } from '../../persistence/backend.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { dateText } from '../find-run.js';
import { someOf, wholeNumber } from '../option-values.js';
import { originText } from '../run-origin.js';
import { colouredState } from '../run-tree.js';
import type { CommonOptions, Session } from '../session.js';
import { FLOW_STATES } from '../states.js';

interface LsOptions extends CommonOptions {
  readonly state?: readonly FlowState[];
  readonly flow?: string;
  readonly limit?: number;
}

export function defineLs(program: Command, act: Act): Command {
  return program
    .command('ls')
    .summary('list the runs of a store')
    .description('Lists the runs of a store, those that were changed last first.')
    .option('--state <states>', `in one of these states, with commas: ${FLOW_STATES.join(', ')}`, someOf(FLOW_STATES))
    .option('--flow <name>', 'of flows with this name')
    .option('--limit <n>', 'at most so many', wholeNumber)
    .action(act(ls));
}

async function ls(session: Session, { state, flow, limit }: LsOptions): Promise<ExitCode> {
  const query = { ...(state === undefined ? {} : { states: state }), ...(flow === undefined ? {} : { name: flow }) };
  const found = await find(session, query);
  const runs = found.toReversed().slice(0, limit);
  session.answer(runs.map(documentOf), tableOf(runs, session));
  if (runs.length === 0) session.say('There are no such runs');
  return EXIT.done;
}

async function find(session: Session, query: { states?: readonly FlowState[]; name?: string }): Promise<FoundFlow[]> {
  // Nobody has begun anything here yet.
  if (!session.hasStore && session.store.source === 'default') return [];
  return (await session.connection()).findFlowDetails(query);
}

function documentOf({ bookUuid: book, flow }: FoundFlow): object {
  const { uuid: run, name, state, createdAt, updatedAt } = flow;
  return { run, flow: name, state: state ?? 'PENDING', createdAt, updatedAt, module: originText(flow), book };
}

function tableOf(runs: readonly FoundFlow[], { colours }: Session): string {
  const rows = runs.map(({ flow }) => ({
    run: flow.uuid,
    state: flow.state ?? 'PENDING',
    changed: dateText(flow.updatedAt),
    flow: printable(flow.name),
  }));
  const width = Math.max(...rows.map(({ state }) => state.length), 0);
  return rows
    .map(({ run, state, changed, flow }) => {
      const padding = ' '.repeat(width - state.length);
      return `${run}  ${colouredState(state, colours)}${padding}  ${colours.dim(changed)}  ${flow}`;
    })
    .join('\n');
}
