import type { Step } from '../command-line.js';
import type { Places } from '../places.js';
import type { Plan } from '../plan.js';

/** What every step is made from. */
export interface StepParts {
  readonly plan: Plan;
  readonly places: Places;
  /** Called before a step takes room. @throws when the disk was found to be full. */
  readonly checkRoom: () => void;
  /** Called when a step has done its work: for the one that is to fail, the worst moment. */
  readonly failIfAsked: (step: Step) => void;
}
