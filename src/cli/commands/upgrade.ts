import type { Command } from 'commander';
import { usingConnection } from '../../persistence/using-connection.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { prose } from '../prose.js';
import type { CommonOptions, Session } from '../session.js';
import { shownStore } from '../store-choice.js';

export function defineUpgrade(program: Command, act: Act): Command {
  return program
    .command('upgrade')
    .summary('bring a store to the newest schema')
    .description(
      prose(`Makes the tables of a store, or brings those of an older flowstate to the newest schema. May be called at any time,
by several at once. run, resume and import do it by themselves; the other commands refuse a store of an older schema.`),
    )
    .action(act(upgrade));
}

async function upgrade(session: Session, _options: CommonOptions): Promise<ExitCode> {
  const backend = await session.backend();
  await usingConnection(backend, (connection) => connection.upgrade());
  const store = shownStore(session.store);
  session.answer({ backend: store, upgraded: true }, `${store} is at the newest schema`);
  return EXIT.done;
}
