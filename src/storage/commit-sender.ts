import type { Environment } from '../environment.js';
import { FlowstateError, StorageConflictError, StorageError, UnstorableValueError } from '../errors.js';
import type { Connection, UnitOfWork } from '../persistence/backend.js';
import type { CommitRetryPolicy } from './commit-retry.js';
import { delayAfter } from './commit-retry.js';

/** Sends units of work to a store, each as often as the policy allows, always the same. */
export class CommitSender {
  #isHurried = false;
  #endPause: (() => void) | null = null;

  constructor(
    private readonly connection: Connection,
    private readonly environment: Environment,
    private readonly policy: CommitRetryPolicy,
  ) {}

  /** @throws what the store threw at last: a refusal, or it is in doubt whether the unit was applied. */
  send(unit: UnitOfWork): Promise<void> {
    try {
      return this.connection.commit(unit).catch((error: unknown) => this.#sendAgain(unit, error));
    } catch (error) {
      return this.#sendAgain(unit, error);
    }
  }

  async #sendAgain(unit: UnitOfWork, thrown: unknown): Promise<void> {
    let error = thrown;
    for (let attempt = 1; ; attempt++) {
      const mayHelp = error instanceof StorageError && !isRefusal(error);
      if (!mayHelp || attempt >= this.policy.attempts || this.#isHurried) throw error;
      const isPatient = await this.#pause(delayAfter(attempt, this.policy, this.environment.random));
      if (!isPatient) throw error;
      try {
        await this.connection.commit(unit);
        return;
      } catch (again) {
        error = again;
      }
    }
  }

  /** @returns false when it was ended before its time. */
  #pause(delayMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.environment.clock.setTimer(delayMs, () => {
        this.#endPause = null;
        resolve(true);
      });
      this.#endPause = () => {
        this.#endPause = null;
        timer.cancel();
        resolve(false);
      };
    });
  }

  /** Hurried, a unit that fails is not sent again, and one that waits to be sent again fails at once. */
  set isHurried(isHurried: boolean) {
    this.#isHurried = isHurried;
    if (isHurried) this.#endPause?.();
  }
}

/** Whether a store said that it did not apply a unit, and that sending it again is of no use. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof StorageError)) return error instanceof FlowstateError;
  return error instanceof StorageConflictError || error instanceof UnstorableValueError;
}
