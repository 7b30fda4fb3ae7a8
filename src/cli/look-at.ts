import type { Engine } from '../engines/engine.js';
import type { Task } from '../atoms/task.js';
import { loadUntyped } from '../engines/load.js';
import { formatError } from '../failure.js';
import type { Flow } from '../flows/flow.js';
import { flowOfStored } from '../../visualizations/inspector/stored-flow.js';
import { UsageError } from './usage-error.js';
import type { FlowDetail } from '../persistence/details.js';
import { flowOf } from './run-origin.js';
import type { Session } from './session.js';

/**
 * The flow of a run for looking at it: that of its module, or, where that is not to be had, what the run was stored
 * with. That has no values that atoms bring along.
 */
export async function flowToLookAt(detail: FlowDetail, session: Session, module?: string): Promise<Flow | Task> {
  try {
    return await flowOf(detail, session, module);
  } catch (error) {
    if (!(error instanceof UsageError) || module !== undefined) throw error;
    session.say(`${formatError(error)}\nWhat is shown is the flow that the run was stored with.`);
    return flowOfStored(detail);
  }
}

/**
 * An engine to look at a run with: it has what is stored, and writes nothing.
 *
 * @param module - In place of the one that the run was made from.
 */
export async function lookingEngine(detail: FlowDetail, session: Session, module?: string): Promise<Engine> {
  return engineFor(await flowToLookAt(detail, session, module), detail, session);
}

async function engineFor(flow: Flow | Task, detail: FlowDetail, session: Session): Promise<Engine> {
  const { environment } = session.platform;
  const engine = await loadUntyped(flow, { flowDetail: detail, environment, onPlanChange: 'accept' }, undefined);
  engine.compile();
  return engine;
}

/** The same with every atom in its place, as its module has it. What a run that was reverted has is not forgotten. */
export async function preparedEngine(detail: FlowDetail, session: Session, module?: string): Promise<Engine> {
  const state = detail.state === 'REVERTED' ? 'SUSPENDED' : detail.state;
  const engine = await engineFor(await flowOf(detail, session, module), { ...detail, state }, session);
  await engine.prepare();
  return engine;
}
