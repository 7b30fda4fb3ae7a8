import type { FlowState } from '../../machines/index.js';
import type { Engine } from '../engines/engine.js';
import { FlowstateError, MissingDependenciesError, StorageError } from '../errors.js';
import { PlanChangedError } from '../engines/plan-consent.js';
import { DurationListener } from '../listeners/duration-listener.js';
import { progressView } from '../listeners/progress-view.js';
import type { ProgressView } from '../listeners/progress-view.js';
import { durationsOf } from '../listeners/time-left.js';
import type { Announcement } from './control/server.js';
import { announce } from './control/server.js';
import { newSocketPath, runtimeFolder } from './control/runtime-folder.js';
import { FailureNotes } from './failure-notes.js';
import type { FailureNotesOptions } from './failure-notes.js';
import { resumeCommand } from './run-origin.js';
import type { Session } from './session.js';
import { Stopper } from './stopper.js';
import type { ExitCode } from './exit-codes.js';
import { EXIT, exitCodeOf } from './exit-codes.js';

export interface PerformOptions extends FailureNotesOptions {
  /** What is done with the engine. */
  readonly act: (engine: Engine) => Promise<FlowState>;
}

/** What came of a run. */
export interface Performed {
  readonly code: ExitCode;
  readonly state: FlowState;
  /** What was thrown; undefined for nothing. */
  readonly error: unknown;
  readonly failures: string;
}

/**
 * Runs an engine as a person at a terminal, or another command, would want it: with progress, stoppable by Ctrl-C and
 * from outside, timed.
 *
 * @throws what shows that nothing was begun: a changed plan, or missing values.
 */
export async function perform(
  engine: Engine,
  session: Session,
  { act, ...notesOptions }: PerformOptions,
): Promise<Performed> {
  const { platform } = session;
  engine.compile();
  using _durations = new DurationListener(engine).register();
  using notes = new FailureNotes(engine, notesOptions).register();
  const isLive = !session.isQuiet && platform.stderr.isTTY === true && platform.env['TERM'] !== 'dumb';
  const durations = isLive ? await earlierDurations(engine, session) : undefined;
  // What tasks print on the terminal comes above what is drawn there.
  using shared = isLive ? platform.shareTerminal((write) => view.aside(write)) : null;
  using view: ProgressView = progressView(engine, {
    stream: shared?.terminal ?? platform.stderr,
    environment: platform.environment,
    silent: session.isQuiet,
    live: isLive,
    durations,
  });
  using stopper = new Stopper({
    engine,
    platform,
    onSignal: (signal, isSecond) => {
      const command = resumeCommand(engine.storage.flowUuid, session);
      const isKept = engine.storage.isDurable;
      const goOn = isKept ? `Go on with: ${command}` : 'It was kept in memory only, and is gone';
      if (isSecond) session.complain(`\nLeft at once. ${goOn}`);
      else tell(session, view, 'Suspending: what is under way comes to its end first. Ctrl-C again leaves at once.');
    },
  });
  const announcement = await reachable(engine, stopper, session, (text) => view.line(text));
  let error: unknown;
  try {
    await act(engine);
  } catch (thrown) {
    if (isRefusal(thrown)) throw thrown;
    error = thrown;
  } finally {
    await announcement?.end(engine.storage.getFlowState());
  }
  const state = engine.storage.getFlowState();
  return { code: codeOf(state, error, stopper), state, error, failures: notes.text() };
}

function tell(session: Session, view: ProgressView, text: string): void {
  if (session.isQuiet) session.complain(text);
  else view.line(text);
}

function codeOf(state: FlowState, error: unknown, stopper: Stopper): ExitCode {
  if (error instanceof StorageError) return EXIT.unresolved;
  return state === 'SUSPENDED' ? stopper.exitCode : exitCodeOf(state);
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof FlowstateError && (error instanceof PlanChangedError || error instanceof MissingDependenciesError)
  );
}

/** How long tasks took when the flow last succeeded. */
async function earlierDurations(engine: Engine, session: Session): Promise<ReadonlyMap<string, number> | undefined> {
  if (!engine.storage.isDurable) return undefined;
  const connection = await (await session.backend()).getConnection();
  try {
    const found = await connection.findFlowDetails({ name: engine.storage.flowName, states: ['SUCCESS'] });
    const last = found.at(-1);
    return last === undefined ? undefined : durationsOf(await connection.getFlowDetail(last.flow.uuid));
  } finally {
    await connection.close();
  }
}

/** Lets others on this machine suspend or cancel the run. Without that it runs nevertheless. */
async function reachable(
  engine: Engine,
  stopper: Stopper,
  session: Session,
  said: (text: string) => void,
): Promise<Announcement | null> {
  const { platform, store } = session;
  const { flowUuid: uuid } = engine.storage;
  if (!engine.storage.isDurable) return null;
  try {
    const folder = await runtimeFolder(platform.env);
    const run = {
      uuid,
      storePath: store.path,
      pid: platform.pid,
      state: () => engine.storage.getFlowState(),
      suspend: () => {
        stopper.suspend('request');
        said('Suspending, as another process asks: what is under way comes to its end first.');
      },
      cancel: () => {
        said('Undoing it all, as another process asks.');
        // What comes of it is what comes of the run.
        engine.cancel(new Error('cancelled from the command line')).catch(() => undefined);
      },
    };
    return await announce(run, newSocketPath(folder, uuid, platform.environment.newId));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    session.say(`The run cannot be suspended or cancelled from another terminal: ${why}`);
    return null;
  }
}
