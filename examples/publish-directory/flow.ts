import { linear, unordered } from 'flowstate';
import type { Flow } from 'flowstate';
import type { Step } from './command-line.js';
import type { Places } from './places.js';
import type { Plan } from './plan.js';
import type { Reserve } from './reserve.js';
import { compress } from './steps/compress.js';
import { manifest } from './steps/manifest.js';
import { prune } from './steps/prune.js';
import { latest, publish } from './steps/publish.js';
import { scan } from './steps/scan.js';
import { verify } from './steps/verify.js';

/** What is not the same in each process that works on a run. */
export interface Surroundings {
  readonly places: Places;
  readonly reserve: Reserve;
  readonly failAt: Step | null;
}

/** The flow of one run. The same plan makes the same flow, in this process and in one that takes the run up later. */
export function publishFlow(plan: Plan, { places, reserve, failAt }: Surroundings): Flow {
  const checkRoom = (): void => {
    if (reserve.isUsed) throw new Error(`The disk with ${places.out} is full`);
  };
  const failIfAsked = (step: Step): void => {
    if (step === failAt) throw new Error(`Failing at ${step}, as --fail-at asks for`);
  };
  const parts = { plan, places, checkRoom, failIfAsked };
  return linear('publish-directory').addAll([
    scan(parts),
    unordered('files').addAll(plan.files.map((path, index) => compress(index, path, parts))),
    manifest(parts),
    verify(parts),
    publish(parts),
    latest(parts),
    prune(parts),
  ]);
}
