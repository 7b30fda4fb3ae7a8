import type { Command } from 'commander';
import { printable } from '../../formatters/terminal-text.js';
import type { Connection } from '../../persistence/backend.js';
import type { JournalEntry } from '../../persistence/journal-entry.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { findRun } from '../find-run.js';
import { wholeNumber } from '../option-values.js';
import { prose } from '../prose.js';
import { colouredState } from '../run-tree.js';
import type { CommonOptions, Session } from '../session.js';

interface JournalOptions extends CommonOptions {
  readonly after?: number;
  readonly limit?: number;
  readonly atom?: string;
}

export function defineJournal(program: Command, act: Act): Command {
  return program
    .command('journal')
    .summary('list every change of a state in a run')
    .description(
      prose(`Lists every change of a state in a run, in order: when it happened, of what, by which event, and why. All runs
that this command runs have a journal; those of programs have one where it was asked for. Imports nothing.`),
    )
    .argument('<run>', 'the run')
    .option('--atom <name>', 'of this task or retry only')
    .option('--after <n>', 'of what came after the entry with this number', wholeNumber)
    .option('--limit <n>', 'at most so many', wholeNumber)
    .action(act(journal));
}

async function journal(session: Session, options: JournalOptions, text: string): Promise<ExitCode> {
  const connection = await session.connection();
  const { flow } = await findRun(connection, text);
  const entries: JournalEntry[] = [];
  for await (const entry of read(connection, flow.uuid, options.after ?? 0)) {
    const { kind, name } = entry.entity;
    if (options.atom !== undefined && (kind === 'flow' || name !== options.atom)) continue;
    entries.push(entry);
    if (entries.length === options.limit) break;
  }
  session.answer(
    { run: flow.uuid, flow: flow.name, entries },
    entries.map((entry) => lineOf(entry, session)).join('\n'),
  );
  if (entries.length === 0) session.say('There are no such entries');
  return EXIT.done;
}

/** How many entries are read at once. */
const PAGE = 1000;

async function* read(connection: Connection, uuid: string, from: number): AsyncGenerator<JournalEntry> {
  for (let after = from; ;) {
    const page = await connection.getJournal(uuid, { after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.sequence;
  }
}

function lineOf({ sequence, at, entity, from, event, to, cause }: JournalEntry, { colours }: Session): string {
  const time = colours.dim(new Date(at).toISOString().replace('T', ' '));
  const what = `${entity.kind} ${printable(entity.name)}`;
  const change = `${from ?? '∅'} → ${to === null ? '∅' : colouredState(to, colours)}`;
  const why = [event ?? '', cause === null ? '' : printable(cause)].filter((part) => part !== '').join(': ');
  return `${String(sequence).padStart(4)}  ${time}  ${what}  ${change}${why === '' ? '' : `  ${colours.dim(why)}`}`;
}
