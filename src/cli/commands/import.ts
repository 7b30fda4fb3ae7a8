import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { DuplicateError } from '../../errors.js';
import { importLogbook } from '../../persistence/logbook-export.js';
import { usingConnection } from '../../persistence/using-connection.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import type { Platform } from '../platform.js';
import type { CommonOptions, Session } from '../session.js';
import { UsageError } from '../usage-error.js';

interface ImportOptions extends CommonOptions {
  readonly replace?: true;
}

export function defineImport(program: Command, act: Act): Command {
  return program
    .command('import')
    .summary('store what flowstate export wrote')
    .description('Stores the book that flowstate export wrote, in any store: all of it, or nothing.')
    .argument('<file>', 'the file; - for stdin')
    .option('--replace', 'remove a book with this uuid first')
    .action(act(importBook));
}

async function importBook(session: Session, { replace }: ImportOptions, file: string): Promise<ExitCode> {
  const text = file === '-' ? await readAll(session.platform.stdin) : await readText(file, session.platform);
  const backend = await session.backend();
  await usingConnection(backend, (connection) => connection.upgrade());
  const book = await importLogbook(backend, text, { replace: replace === true }).catch((error: unknown) => {
    if (!(error instanceof DuplicateError) || replace === true) throw error;
    throw new UsageError('It is stored already: --replace puts this in its place', { cause: error });
  });
  session.answer(
    { book: book.uuid, runs: book.flows.map(({ uuid }) => uuid) },
    book.flows.map(({ uuid, name, state }) => `${uuid}  ${state ?? 'PENDING'}  ${name}`).join('\n'),
  );
  return EXIT.done;
}

async function readText(file: string, { cwd }: Platform): Promise<string> {
  try {
    return await readFile(resolve(cwd, file), 'utf8');
  } catch (cause) {
    throw new UsageError(`The file ${file} cannot be read`, { cause });
  }
}

async function readAll(stdin: Platform['stdin']): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stdin) text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
