import type { Engine, FlowDetail, ProgressView } from 'flowstate';

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

/** Counts what happens from now on. */
export function watch(engine: Engine, { atoms }: FlowDetail): Counts {
  const found = atoms.map(({ state }) => state);
  const counts: Counts = {
    total: engine.compilation?.atoms.length ?? 0,
    found: found.filter((state) => state === 'SUCCESS').length,
    inFlight: found.filter((state) => state === 'RUNNING' || state === 'REVERTING').length,
    executed: 0,
    reverted: 0,
  };
  engine.atomNotifier.register('SUCCESS', () => (counts.executed += 1));
  engine.atomNotifier.register('REVERTED', () => (counts.reverted += 1));
  return counts;
}

/** Ends this process, as a power failure would, when so many atoms of the run have finished and are known to be. */
export function killAfterAtoms(wanted: number, engine: Engine, counts: Counts, view: ProgressView): void {
  if (wanted <= counts.found || wanted >= counts.total) {
    const why =
      wanted <= counts.found ? `${counts.found} atoms had finished already` : `the run has ${counts.total} atoms`;
    view.line(`Not killing this process after ${wanted} atoms: ${why}`);
    return;
  }
  let finished = counts.found;
  engine.atomNotifier.register(
    'SUCCESS',
    () => {
      finished += 1;
      if (finished < wanted) return;
      view.line(`Killing this process: ${wanted} atoms have finished. The same command goes on from here.`);
      process.kill(process.pid, 'SIGKILL');
    },
    { durable: true },
  );
}
