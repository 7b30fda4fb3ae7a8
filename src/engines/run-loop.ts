import type { EngineStage } from '../../machines/index.js';
import { Failure } from '../failure.js';
import type { Drive } from './drive.js';

export interface RunLoopParts {
  /** Begins a run; `undoing`: of what has just been stopped. */
  readonly begin: (options: { readonly undoing: boolean }) => Promise<Drive>;
  /** Asks the run to stop. */
  readonly suspend: () => void;
  /** Whether the run that has ended is to be undone by another. */
  readonly mustUndo: () => boolean;
  /** The run is not to be undone by another. */
  readonly undoNothing: () => void;
}

/** Takes runs from their beginning to their end, in one go or stage by stage, and breaks them off. */
export class RunLoop {
  /** The run that is under way. */
  drive: Drive | null = null;
  /** Settles when the work that was asked for last is done. */
  #stepping: Promise<void> | null = null;

  constructor(private readonly parts: RunLoopParts) {}

  async run(): Promise<void> {
    let drive: Drive | null = await this.parts.begin({ undoing: false });
    try {
      while (drive !== null) {
        await this.#driveOn(drive);
        drive = await this.#endOf(drive);
      }
    } finally {
      this.drive = null;
    }
  }

  /** @returns what undoes the run, when it was cancelled while it went on. */
  async #endOf(drive: Drive): Promise<Drive | null> {
    await drive.end();
    return this.parts.mustUndo() ? this.parts.begin({ undoing: true }) : null;
  }

  /** Stage by stage: each is given before its work is done, which is done when the next is asked for. */
  async *stages(): AsyncGenerator<EngineStage, void, boolean | undefined> {
    let drive: Drive | null = await this.parts.begin({ undoing: false });
    let isLeft = true;
    try {
      while (drive !== null) {
        for (let stage = await this.#step(drive); stage !== null; stage = await this.#step(drive)) {
          let answer: boolean | undefined;
          try {
            answer = yield stage;
          } catch (error) {
            // Whoever throws into it asks for no more stages: the run goes on to its end, which is FAILURE.
            drive.run.failures.push(Failure.from(error));
            await this.#driveOn(drive);
          }
          if (answer === true) this.parts.suspend();
        }
        isLeft = false;
        drive = await this.#endOf(drive);
        isLeft = true;
      }
    } catch (error) {
      isLeft = false;
      throw error;
    } finally {
      try {
        if (isLeft && drive !== null) await this.#abandon(drive);
      } finally {
        this.drive = null;
      }
    }
  }

  /** The next stage, for somebody who asks for each. */
  async #step(drive: Drive): Promise<EngineStage | null> {
    const step = drive.advance().catch((error: unknown) => drive.fail(error));
    const settled = () => undefined;
    this.#stepping = step.then(settled, settled);
    return step;
  }

  #driveOn(drive: Drive): Promise<void> {
    const driven = drive.toEnd().catch((error: unknown) => drive.fail(error));
    const settled = () => undefined;
    this.#stepping = driven.then(settled, settled);
    return driven;
  }

  /** Nobody asks for stages any more: the run is suspended and brought to its end. */
  async #abandon(drive: Drive): Promise<void> {
    this.parts.undoNothing();
    this.parts.suspend();
    await this.#driveOn(drive);
    await drive.end();
  }

  /** Suspends the run that is under way and waits for its end. */
  async breakOff(abort: () => void): Promise<void> {
    const { drive } = this;
    if (drive === null) return;
    try {
      this.parts.suspend();
      abort();
      // Whoever asked for the stages so far may never ask for the next.
      await this.#stepping;
      await this.#driveOn(drive);
      await drive.end();
    } catch {
      // Who runs the engine hears of it.
    }
  }
}
