import type { Engine } from '../../src/engines/engine.js';
import { Failure } from '../../src/failure.js';

function resultOf(details: object): string {
  if (!('result' in details)) return '';
  const { result } = details;
  return `(${result instanceof Failure ? result.message : JSON.stringify(result)})`;
}

/** Writes down what an engine tells its listeners: `flow RUNNING`, `a SUCCESS(1)`. */
export function announcementsOf(engine: Engine, into: string[] = [], options: { durable?: boolean } = {}): string[] {
  engine.notifier.register('*', (state) => into.push(`flow ${state}`), options);
  engine.atomNotifier.register(
    '*',
    (state, details) => {
      const name = 'taskName' in details ? details.taskName : details.retryName;
      into.push(`${name} ${state}${resultOf(details)}`);
    },
    options,
  );
  return into;
}

/** The state of every atom, by name. */
export function statesOf({ storage }: Engine): Record<string, string | null> {
  return Object.fromEntries(storage.atomNames().map((name) => [name, storage.getAtomState(name)]));
}

/**
 * Runs an engine stage by stage: one that goes round in circles is left as it is, where `run()`, and leaving a loop,
 * would never come back.
 *
 * @returns the state of the flow.
 */
export async function runWithin(engine: Engine, mostStages: number): Promise<string> {
  const stages = engine.runIter();
  for (let count = 0; count <= mostStages; count++) {
    const { done } = await stages.next();
    if (done === true) return engine.storage.getFlowState();
  }
  throw new Error(`the run does not end within ${mostStages} stages`);
}
