import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { exportLogbook } from '../../persistence/logbook-export.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { findRun } from '../find-run.js';
import { prose } from '../prose.js';
import type { CommonOptions, Session } from '../session.js';

interface ExportOptions extends CommonOptions {
  readonly output?: string;
}

export function defineExport(program: Command, act: Act): Command {
  return program
    .command('export')
    .summary('write a run down as JSON, with all that is stored of it')
    .description(
      prose(`Writes down the book that a run is entered in, as JSON: the run with its atoms, results and failures, and all other
runs of that book. A run that was begun with flowstate run has a book of its own. What is written holds all values.`),
    )
    .argument('<run>', 'the run')
    .option('--output <file>', 'write it into a file; default: stdout')
    .action(act(exportRun));
}

async function exportRun(session: Session, { output }: ExportOptions, text: string): Promise<ExitCode> {
  const { bookUuid, flow } = await findRun(await session.connection(), text);
  const exported = await exportLogbook(await session.backend(), bookUuid);
  const others = exported.flows.length - 1;
  if (others > 0) session.say(`With the run come ${others} others of its book ${bookUuid}`);
  const json = JSON.stringify(exported, null, 2);
  if (output === undefined) {
    session.answer(exported, json);
    return EXIT.done;
  }
  const path = resolve(session.platform.cwd, output);
  await writeFile(path, `${json}\n`);
  session.answer({ run: flow.uuid, book: bookUuid, output: path }, '');
  session.say(`Written to ${path}`);
  return EXIT.done;
}
