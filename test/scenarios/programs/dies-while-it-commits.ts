import { appendFileSync } from 'node:fs';
import { put } from '../../../src/persistence/atom-details.js';
import { directoryBackend } from '../../../src/persistence/backends/path/directory.js';
import { systemFiles } from '../../../src/persistence/backends/path/files.js';
import { watchedFiles } from '../../persistence/faulty-files.js';

/*
 * Commits a few times to the run that a folder has, and kills itself at one of its calls to the file system.
 *
 * node dies-while-it-commits.js FOLDER LEDGER CALL: revisions that were committed are noted in the ledger.
 */

const [folder = '', ledger = '', call = ''] = process.argv.slice(2);
const lastCall = Number(call);
let isLast = false;

/** Half of what is to be written is, before. */
const files = watchedFiles(systemFiles, (made) => {
  if (made < lastCall || isLast) return;
  isLast = true;
  throw new Error('the process dies here');
});

const deadly = new Proxy(files, {
  get: (target, name, receiver) => {
    const method: unknown = Reflect.get(target, name, receiver);
    if (typeof method !== 'function') return method;
    return async (...args: unknown[]): Promise<unknown> => {
      try {
        const result: unknown = await Reflect.apply(method, target, args);
        return result;
      } catch (error) {
        if (isLast) process.kill(process.pid, 'SIGKILL');
        throw error;
      }
    };
  },
});

const backend = directoryBackend({ path: folder, journalBytes: 1500, files: deadly });
const connection = await backend.getConnection();
const [found] = await connection.findFlowDetails();
if (found === undefined) throw new Error('there is no run');
const atoms = await connection.getAtomsForFlow(found.flow.uuid);
for (let { revision } = found.flow, last = revision + 2; revision < last; revision += 1) {
  const done = atoms.map((atom) => put(atom, 'SUCCESS', revision + 1));
  await connection.commit({ flowUuid: found.flow.uuid, expectedRevision: revision, atoms: done });
  appendFileSync(ledger, `${revision + 1}\n`);
}
await backend.close();
