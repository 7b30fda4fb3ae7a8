import type { Engine } from '../engines/engine.js';
import { loadUntyped } from '../engines/load.js';
import type { FlowDetail } from '../persistence/details.js';
import { flowOf } from './run-origin.js';
import type { Session } from './session.js';

/**
 * An engine to look at a run with: it has what is stored, and writes nothing.
 *
 * @param module - In place of the one that the run was made from.
 */
export async function lookingEngine(detail: FlowDetail, session: Session, module?: string): Promise<Engine> {
  const flow = await flowOf(detail, session, module);
  const { environment } = session.platform;
  const engine = await loadUntyped(flow, { flowDetail: detail, environment, onPlanChange: 'accept' }, undefined);
  engine.compile();
  return engine;
}

/** As `lookingEngine`, with every atom in its place. What a run that was reverted has is not forgotten. */
export async function preparedEngine(detail: FlowDetail, session: Session, module?: string): Promise<Engine> {
  const state = detail.state === 'REVERTED' ? 'SUSPENDED' : detail.state;
  const engine = await lookingEngine({ ...detail, state }, session, module);
  await engine.prepare();
  return engine;
}
