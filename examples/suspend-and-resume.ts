/**
 * A run that is suspended half way, kept in an SQLite file, and finished by another engine, which knows of it only
 * what is in the file. After a crash it would be the same.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engines, linear, persistence, task } from 'flowstate';

/** Both engines make their flow anew: another process would have to. */
function harvest() {
  const say = (name: string) =>
    task({ name, execute: () => console.log(name), revert: () => console.log(`undo ${name}`) });
  return linear('harvest').add(say('sow'), say('water'), say('reap'), say('bake'));
}

const folder = await mkdtemp(join(tmpdir(), 'suspend-and-resume-'));
const path = join(folder, 'harvest.db');

async function first(): Promise<string> {
  await using backend = await persistence.backend({ connection: 'sqlite', path });
  const engine = await engines.load(harvest(), { backend });
  engine.atomNotifier.register('SUCCESS', (_, details) => {
    if ('taskName' in details && details.taskName === 'water') engine.suspend();
  });
  console.log(await engine.run());
  await engine.close();
  return engine.storage.flowUuid;
}

async function second(uuid: string): Promise<void> {
  await using backend = await persistence.backend({ connection: 'sqlite', path });
  const connection = await backend.getConnection();
  const engine = await engines.load(harvest(), { backend, flowDetail: await connection.getFlowDetail(uuid) });
  await connection.close();
  console.log(await engine.run());
  await engine.close();
}

try {
  await second(await first());
} finally {
  await rm(folder, { recursive: true });
}
