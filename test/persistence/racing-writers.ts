import { StorageConflictError } from '../../src/errors.js';
import { put } from '../../src/persistence/atom-details.js';
import type { Connection } from '../../src/persistence/backend.js';
import type { AtomDetail, FlowDetail } from '../../src/persistence/details.js';

/**
 * Lets writers commit to one run, each as quickly as it can, until it is at a revision.
 *
 * @param atomsAt - What is written at each revision. Default: all atoms of the run.
 * @returns how many revisions each writer won.
 */
export function race(
  writers: readonly Connection[],
  flow: FlowDetail,
  revisions: number,
  atomsAt: (revision: number) => readonly AtomDetail[] = () => flow.atoms,
): Promise<number[]> {
  return Promise.all(
    writers.map(async (writer, index) => {
      let won = 0;
      for (let expectedRevision = 0; expectedRevision < revisions;) {
        const atoms = atomsAt(expectedRevision).map((atom) => put(atom, 'SUCCESS', [index, expectedRevision]));
        try {
          await writer.commit({ flowUuid: flow.uuid, expectedRevision, atoms });
          won += 1;
          expectedRevision += 1;
        } catch (error) {
          if (!(error instanceof StorageConflictError)) throw error;
          expectedRevision = error.foundRevision;
        }
      }
      return won;
    }),
  );
}
