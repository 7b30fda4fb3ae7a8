import { UPDATE_PROGRESS } from '../../src/index.js';
import type { AtomDetails, Engine, FlowDetail } from '../../src/index.js';
import type { Report } from './report.js';

/** What happened to the atoms of a run. */
export interface Counts {
  readonly total: number;
  /** Finished when this process took the run up. */
  readonly found: number;
  /** Begun then, and not finished. */
  readonly inFlight: number;
  /** Finished by this process. */
  executed: number;
  reverted: number;
}

/** Has the report hear of everything, and counts. */
export function watch(engine: Engine, { atoms }: FlowDetail, report: Report): Counts {
  const found = atoms.map(({ state }) => state);
  const compiled = engine.compilation?.atoms ?? [];
  const counts: Counts = {
    total: compiled.length,
    found: found.filter((state) => state === 'SUCCESS').length,
    inFlight: found.filter((state) => state === 'RUNNING' || state === 'REVERTING').length,
    executed: 0,
    reverted: 0,
  };
  report.begin(counts.total, counts.found);
  const { atomNotifier } = engine;
  atomNotifier.register('SUCCESS', (_, details) => {
    counts.executed += 1;
    report.finished(nameIn(details));
  });
  atomNotifier.register('REVERTED', (_, details) => {
    counts.reverted += 1;
    report.reverted(nameIn(details), counts.reverted);
  });
  for (const event of ['FAILURE', 'REVERT_FAILURE']) {
    atomNotifier.register(event, (_, details) => report.failed(nameIn(details)));
  }
  for (const node of compiled) {
    if (node.kind !== 'task' || node.name !== 'verify') continue;
    node.item.notifier.register(UPDATE_PROGRESS, (_, { progress }) => {
      if (typeof progress === 'number') report.progress(node.name, progress);
    });
  }
  return counts;
}

/** Ends this process, as a power failure would, when so many atoms of the run have finished and are known to be. */
export function killAfterAtoms(wanted: number, engine: Engine, counts: Counts, report: Report): void {
  if (wanted <= counts.found || wanted >= counts.total) {
    const why =
      wanted <= counts.found ? `${counts.found} atoms had finished already` : `the run has ${counts.total} atoms`;
    report.line(`Not killing this process after ${wanted} atoms: ${why}`);
    return;
  }
  let finished = counts.found;
  engine.atomNotifier.register(
    'SUCCESS',
    () => {
      finished += 1;
      if (finished < wanted) return;
      report.line(`Killing this process: ${wanted} atoms have finished. The same command goes on from here.`);
      process.kill(process.pid, 'SIGKILL');
    },
    { durable: true },
  );
}

function nameIn(details: AtomDetails): string {
  return 'taskName' in details ? details.taskName : details.retryName;
}
