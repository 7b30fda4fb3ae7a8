import { FlowstateError } from '../errors.js';
import type { FlowDetail } from '../persistence/details.js';
import type { Asked } from './control/client.js';
import { ask } from './control/client.js';
import type { ControlCommand } from './control/protocol.js';
import { runtimeFolder } from './control/runtime-folder.js';
import type { Session } from './session.js';
import { UsageError } from './usage-error.js';

/**
 * Asks the process of this machine and this user that runs a run, if it was started by the command line.
 *
 * @throws {UnsupportedError} where no process can be asked.
 */
export async function askLive(command: ControlCommand, { uuid }: FlowDetail, session: Session): Promise<Asked> {
  const { platform, store } = session;
  const folder = await runtimeFolder(platform.env);
  return ask(command, { folder, clock: platform.environment.clock, run: uuid, storePath: store.path });
}

/** The process that runs a run; null when none is known of. */
export async function runnerOf(detail: FlowDetail, session: Session): Promise<number | null> {
  try {
    const asked = await askLive('status', detail, session);
    if (asked.kind !== 'accepted') return null;
    asked.leave();
    return asked.pid;
  } catch (error) {
    if (error instanceof FlowstateError) return null;
    throw error;
  }
}

/** @throws {UsageError} when another process is known to run it: to take it over would break that one off. */
export async function refuseWhenRunning(detail: FlowDetail, session: Session): Promise<void> {
  const pid = await runnerOf(detail, session);
  if (pid === null) return;
  throw new UsageError(`The run ${detail.uuid} of ${detail.name} is being run by the process ${pid}`);
}
