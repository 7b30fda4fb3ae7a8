import type { Command } from 'commander';
import { printable } from '../../formatters/terminal-text.js';
import type { Pruned } from '../../persistence/logbooks.js';
import { pruneRuns } from '../../persistence/logbooks.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { dateText } from '../find-run.js';
import { date, duration, someOf } from '../option-values.js';
import type { CommonOptions, Session } from '../session.js';
import { UsageError } from '../usage-error.js';

const STATES = ['SUCCESS', 'REVERTED', 'FAILURE'] as const;

interface PruneCommandOptions extends CommonOptions {
  readonly olderThan?: number;
  readonly before?: number;
  readonly state?: readonly (typeof STATES)[number][];
  readonly flow?: string;
  readonly emptyBooks?: true;
  readonly dryRun?: true;
}

export function definePrune(program: Command, act: Act): Command {
  return program
    .command('prune')
    .summary('remove runs that ended some time ago')
    .description('Removes runs that have ended and were not changed for some time. What can be resumed is not touched.')
    .option('--older-than <duration>', 'last changed so long ago or earlier: 90s, 15m, 12h, 30d', duration)
    .option('--before <date>', 'last changed before this: 2026-11-22, 2026-11-22T18:00:00Z', date)
    .option(
      '--state <states>',
      `in one of these states, with commas: ${STATES.join(', ')}; default: the first two`,
      someOf(STATES),
    )
    .option('--flow <name>', 'of flows with this name only')
    .option('--empty-books', 'remove the books that have no run left, too; nobody may enter runs in them meanwhile')
    .option('--dry-run', 'remove nothing, and say what would be')
    .action(act(prune));
}

async function prune(session: Session, options: PruneCommandOptions): Promise<ExitCode> {
  const { olderThan, before, state, flow, emptyBooks, dryRun } = options;
  if ((olderThan === undefined) === (before === undefined)) {
    throw new UsageError('prune takes either --older-than or --before');
  }
  const isDryRun = dryRun === true;
  const { runs, books } = await pruned(session, {
    olderThanMs: olderThan,
    before,
    states: state,
    name: flow,
    emptyBooks: emptyBooks === true,
    dryRun: isDryRun,
    environment: session.platform.environment,
  });
  session.answer(
    { dryRun: isDryRun, runs: runs.map(documentOf), books },
    runs
      .map(({ flow: run }) => `${run.uuid}  ${run.state ?? ''}  ${dateText(run.updatedAt)}  ${printable(run.name)}`)
      .join('\n'),
  );
  const inBooks = books.length === 0 ? '' : ` and ${books.length} books`;
  session.say(`${runs.length} runs${inBooks} ${isDryRun ? 'would be removed' : 'removed'}`);
  return EXIT.done;
}

async function pruned(session: Session, options: Parameters<typeof pruneRuns>[1]): Promise<Pruned> {
  if (!session.hasStore && session.store.source === 'default') return { runs: [], books: [] };
  // Says what is wrong with the store before anything is looked for.
  await session.connection();
  return pruneRuns(await session.backend(), options);
}

function documentOf({ flow: { uuid, name, state, updatedAt } }: Pruned['runs'][number]): object {
  return { run: uuid, flow: name, state, updatedAt };
}
