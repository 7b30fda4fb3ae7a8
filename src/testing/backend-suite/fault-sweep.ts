import { ok } from 'node:assert/strict';
import { load } from '../../engines/load.js';
import type { Engine } from '../../engines/engine.js';
import { StorageError } from '../../errors.js';
import type { PersistenceBackend } from '../../persistence/backend.js';
import type { FlowDetail } from '../../persistence/details.js';
import { usingConnection } from '../../persistence/using-connection.js';
import { same } from '../checks.js';
import type { Interruption } from '../interrupting-backend.js';
import { failAfter, failBefore, interrupting, never } from '../interrupting-backend.js';
import { journalObjections } from '../journal-objections.js';
import { virtualEnvironment } from '../virtual-environment.js';
import type { Story } from './stories.js';
import { STORIES } from './stories.js';
import type { Suite } from './suite.js';
import { connectTo } from './suite.js';
import { Witness } from './witness.js';

/** Times that a commit is sent before it is given up. */
export const ATTEMPTS = 3;
const MOST_RUNS = 20;
const ENDED: ReadonlySet<string | null> = new Set(['SUCCESS', 'REVERTED', 'FAILURE']);
const down = new StorageError('the store is down');

interface Fault {
  readonly name: string;
  /** What becomes of the n-th commit. */
  readonly at: (nth: number) => Interruption;
  /** Who goes on when the store was given up on; nobody has to where it was not. */
  readonly resumed: 'by the same engine' | 'by a new engine' | null;
}

const FAULTS: readonly Fault[] = [
  { name: 'fails once', at: (nth) => failBefore(nth, down), resumed: null },
  { name: 'is made and its answer lost', at: (nth) => failAfter(nth, down), resumed: null },
  ...(['by the same engine', 'by a new engine'] as const).flatMap((resumed): Fault[] => [
    { name: 'fails until it is given up', at: (nth) => failBefore(nth, down, ATTEMPTS), resumed },
    { name: 'is made and unanswered until it is given up', at: (nth) => failAfter(nth, down, ATTEMPTS), resumed },
  ]),
];

/** Those in which entries could be lost, or added twice: with a store that goes on, and one that was given up on. */
const JOURNALED = FAULTS.filter(({ name, resumed }) => resumed !== 'by the same engine' && name !== 'fails once');

/**
 * What a run promises on any backend: whichever commit goes wrong, and however, it comes to the same end, and nothing
 * is executed again but what was under way.
 */
export function faultPromises({ describe, test }: Suite): void {
  describe('a run', () => {
    for (const story of STORIES) {
      for (const fault of FAULTS) {
        const resumed = fault.resumed === null ? 'goes on' : `is resumed ${fault.resumed}`;
        test(`of ${story.name} ${resumed} when any one commit ${fault.name}`, async ({ open }) => {
          const backend = await open();
          await connectTo(backend);
          const undisturbed = await perform(story, backend, never, null);
          same(undisturbed.gaveUp, 0);
          for (let nth = 1; nth <= undisturbed.commits; nth++) {
            const disturbed = await perform(story, backend, fault.at(nth), fault.resumed);
            same({ nth, ...disturbed.end }, { nth, ...undisturbed.end });
            // Tasks side by side take fewer commits when they end while one is being made.
            const hasStruck = disturbed.commits >= nth;
            same(disturbed.gaveUp, hasStruck && fault.resumed !== null ? 1 : 0);
            same(disturbed.witness.objections(undisturbed.witness), []);
          }
        });
      }
      for (const fault of JOURNALED) {
        test(`of ${story.name} has a journal of what is stored when any one commit ${fault.name}`, async ({ open }) => {
          const backend = await open();
          await connectTo(backend);
          const undisturbed = await perform(story, backend, never, null, { journal: true });
          same(undisturbed.objections, []);
          for (let nth = 1; nth <= undisturbed.commits; nth++) {
            const disturbed = await perform(story, backend, fault.at(nth), fault.resumed, { journal: true });
            same({ nth, ...disturbed.end }, { nth, ...undisturbed.end });
            same({ nth, objections: disturbed.objections }, { nth, objections: [] });
          }
        });
      }
    }
  });
}

interface Performance {
  readonly end: object;
  readonly witness: Witness;
  readonly commits: number;
  /** How often the store was given up on. */
  readonly gaveUp: number;
  /** Whatever the journal told otherwise than it was stored, at each interruption and at the end. */
  readonly objections: readonly string[];
}

let performances = 0;

/**
 * Has a story come to its end on a store that is disturbed.
 *
 * @param store - What the disturbed backend keeps everything in.
 * @param resumed - Who goes on where the store was given up on.
 * @param options.journal - Whether a journal is kept, and looked at. @default false
 */
export async function perform(
  story: Story,
  store: PersistenceBackend,
  interruption: Interruption,
  resumed: Fault['resumed'],
  { journal = false }: { readonly journal?: boolean } = {},
): Promise<Performance> {
  performances += 1;
  const environment = virtualEnvironment({ prefix: `performance-${performances}`, advancesByItself: true });
  const backend = interrupting(store, interruption);
  const witness = new Witness((uuid) => usingConnection(store, (connection) => connection.getFlowDetail(uuid)));
  const flow = story.flow({
    called: (atom, method) => witness.called(engine.storage.flowUuid, atom, method),
    suspend: () => {
      engine.suspend();
    },
  });
  const options = {
    backend,
    environment,
    engine: story.engine,
    commitRetry: { attempts: ATTEMPTS, delayMs: 10 },
    journal,
  };
  let engine: Engine = await load(flow, options);
  const { flowUuid } = engine.storage;
  let gaveUp = 0;
  const objections: string[] = [];
  const checkJournal = async () => {
    if (!journal) return;
    objections.push(...(await usingConnection(store, (connection) => journalObjections(connection, flowUuid))));
  };
  for (let runs = 1; ; runs++) {
    ok(runs <= MOST_RUNS, 'the run comes to no end');
    const broken = await brokeOff(engine);
    if (!broken && ENDED.has(engine.storage.getFlowState())) break;
    if (!broken) continue;
    gaveUp += 1;
    await witness.interrupted(flowUuid);
    await checkJournal();
    if (resumed === 'by the same engine') continue;
    await engine.close();
    const flowDetail = await usingConnection(store, (connection) => connection.getFlowDetail(flowUuid));
    if (ENDED.has(flowDetail.state)) break;
    engine = await load(flow, { ...options, flowDetail });
  }
  await engine.close();
  same(environment.clock.pending, 0);
  await checkJournal();
  const end = endOf(await usingConnection(store, (connection) => connection.getFlowDetail(flowUuid)));
  return { end, witness, commits: backend.commits, gaveUp, objections };
}

/** Runs an engine. @returns whether its store stopped it. What else it throws is how the flow ends. */
async function brokeOff(engine: Engine): Promise<boolean> {
  try {
    await engine.run();
    return false;
  } catch (error) {
    return error instanceof StorageError;
  }
}

/** What is stored at the end, without what differs from run to run. */
function endOf({ state, atoms }: FlowDetail): object {
  return {
    state,
    atoms: atoms.map(({ uuid: _, failure, revertFailure, results, meta, ...atom }) => ({
      ...atom,
      progress: meta['progress'],
      failures: [failure?.message, revertFailure?.message],
      results:
        atom.kind === 'retry' && Array.isArray(results)
          ? results.map(({ provided, failures }: { provided: unknown; failures: ReadonlyMap<string, unknown> }) => ({
              provided,
              failed: [...failures.keys()],
            }))
          : results,
    })),
  };
}
