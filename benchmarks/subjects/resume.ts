import { engines, persistence } from 'flowstate';
import { half } from '../plan.js';
import type { Plan } from '../plan.js';
import { backendOf, flowOf, nameOf, whatCameOf } from './flowstate.js';
import type { Outcome, Subject } from './subject.js';

/**
 * Takes up a chain of which half is done, until the first task is executed that was not. What it takes up is made by
 * another engine, before anything is measured.
 */
export function resume(kind: 'serial' | 'parallel'): Subject {
  return {
    build(plan) {
      let reached = () => {};
      const flow = flowOf(withStops(plan, () => reached()));
      let flowUuid = '';
      return {
        async prepare({ store }) {
          const engine = await engines.load(flow, { engine: kind, backend: backendOf(store) });
          reached = () => engine.suspend();
          await engine.run();
          flowUuid = engine.storage.flowUuid;
          await engine.close();
        },
        async run({ store }) {
          const backend = await persistence.backend(backendOf(store) ?? 'memory');
          const connection = await backend.getConnection();
          const flowDetail = await connection.getFlowDetail(flowUuid);
          const engine = await engines.load(flow, { engine: kind, backend, flowDetail });
          const first = new Promise<void>((resolve) => {
            reached = () => {
              engine.suspend();
              resolve();
            };
          });
          const running = engine.run();
          await Promise.race([first, running]);
          return {
            ...whatCameOf(engine),
            error: null,
            async close() {
              await running;
              await engine.close();
              await backend.close();
            },
          } satisfies Outcome;
        },
      };
    },
  };
}

/** The last task of the first half, and the first of the second, tell that they are executed. */
function withStops(plan: Plan, reached: () => void): Plan {
  const stop = half(plan.tasks.length);
  const tasks = plan.tasks.map((planned, index) =>
    index === stop - 1 || index === stop
      ? {
          ...planned,
          execute: (args: Readonly<Record<string, unknown>>) => {
            reached();
            return planned.execute(args);
          },
        }
      : planned,
  );
  return { ...plan, tasks };
}

/** Reads all the rows of such a run, with the same driver. */
export const readingRows: Subject = {
  build(plan) {
    const { prepare } = resume('serial').build(plan);
    return {
      ...(prepare === undefined ? {} : { prepare }),
      async run({ store }) {
        if (store?.kind !== 'sqlite') throw new TypeError('reading-rows takes an SQLite file');
        const { default: Database } = await import('libsql');
        const database = new Database(store.file);
        const read = (sql: string): unknown[] => database.prepare(sql).all([]);
        read('select * from flow_details');
        const atoms = read('select * from atom_details');
        const results = new Map(atoms.map(nameAndResult));
        return {
          counters: { readinessChecks: 0, commits: 0, vertices: plan.tasks.length, edges: plan.tasks.length - 1 },
          error: null,
          resultOf: (index) => results.get(nameOf(index)),
          close: async () => void database.close(),
        };
      },
    };
  },
};

function nameAndResult(row: unknown): [unknown, unknown] {
  const columns = new Map(Object.entries(row ?? {}));
  const result: unknown = columns.get('results');
  return [columns.get('name'), typeof result === 'string' ? JSON.parse(result) : null];
}
