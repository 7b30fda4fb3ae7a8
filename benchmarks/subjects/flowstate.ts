import type { Engine, Flow, Task } from 'flowstate';
import { engines, graph, linear, persistence, task, unordered } from 'flowstate';
import type { Plan, PlannedTask } from '../plan.js';
import type { Outcome, Store, Subject } from './subject.js';

/** flowstate, with one of its engines and otherwise as it comes. */
export function flowstate(engine: 'serial' | 'parallel'): Subject {
  return {
    build(plan) {
      const flow = flowOf(plan);
      let backend: Backend | undefined;
      return {
        async prepare({ store }) {
          const conf = backendOf(store);
          if (conf !== undefined) backend = await persistence.backend(conf);
        },
        run: () => run(flow, engine, backend),
      };
    },
  };
}

type Backend = Awaited<ReturnType<typeof persistence.backend>>;

async function run(flow: Flow, kind: 'serial' | 'parallel', backend: Backend | undefined): Promise<Outcome> {
  const engine = await engines.load(flow, { engine: kind, backend });
  let error: unknown = null;
  try {
    await engine.run();
  } catch (thrown) {
    error = thrown;
  }
  return {
    ...whatCameOf(engine),
    error,
    async close() {
      await engine.close();
      await backend?.close();
    },
  };
}

/** What can be counted and asked of an engine that has run. */
export function whatCameOf({ statistics, compilation, storage }: Engine): Pick<Outcome, 'counters' | 'resultOf'> {
  const { readinessChecks, commits } = statistics;
  return {
    counters: {
      readinessChecks,
      commits,
      vertices: compilation?.nodes.length ?? 0,
      edges: compilation?.edges.length ?? 0,
    },
    resultOf: (index) => storage.get(nameOf(index)),
  };
}

/** As `persistence.fetch` takes it. */
export function backendOf(store: Store | null) {
  if (store === null) return undefined;
  if (store.kind === 'postgresql') return { connection: store.url };
  return { connection: 'sqlite', path: store.file, synchronous: store.synchronous };
}

export const nameOf = (index: number) => `t${index}`;
const symbolOf = (index: number) => `v${index}`;

export function flowOf({ arrangement, tasks }: Plan): Flow {
  const atoms = tasks.map(taskOf);
  switch (arrangement) {
    case 'chain':
      return linear('chain').addAll(atoms);
    case 'fan-in':
      return linear('fan-in').addAll([unordered('all').addAll(atoms.slice(0, -1)), ...atoms.slice(-1)]);
    case 'layers':
      return graph('layers').addAll(atoms);
    case 'independent':
      return unordered('independent').addAll(atoms);
  }
}

function taskOf({ dependencies, parameters, execute, revert }: PlannedTask, index: number): Task {
  const rebind = dependencies.map(symbolOf);
  return task({ name: nameOf(index), requires: parameters, rebind, provides: symbolOf(index), execute, revert });
}
