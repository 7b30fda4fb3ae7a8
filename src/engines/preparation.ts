import { retryMachine, taskMachine } from '../../machines/index.js';
import type { Compilation } from '../compiler/compilation.js';
import { planOf } from '../compiler/plan.js';
import type { AtomSlot } from '../storage/ledger.js';
import type { Storage } from '../storage/storage.js';
import type { AnnouncedNotifier } from './announced-notifier.js';
import type { AtomDetails } from './atom-services.js';
import { atomServices } from './atom-services.js';
import type { Company } from './company.js';
import type { FlowLifecycle } from './flow-lifecycle.js';
import type { EngineOptions } from './options.js';
import { settlePlan } from './plan-consent.js';
import type { RuntimeParts } from './runtime.js';
import { Runtime } from './runtime.js';
import { surroundingsOf } from './surroundings.js';

/**
 * Enters the atoms of a flow in its run, and takes up a run that was interrupted.
 *
 * @returns the places of the atoms' records, by node.
 * @throws {DuplicateError|PlanChangedError} before anything is changed.
 */
export async function registerAtoms(
  compilation: Compilation,
  storage: Storage,
  options: EngineOptions,
  flow: FlowLifecycle,
): Promise<readonly (AtomSlot | undefined)[]> {
  const atoms = compilation.atoms.map(({ item }) => item);
  const plan = storage.isDurable || storage.planFingerprint !== null ? planOf(compilation) : null;
  if (plan !== null) await settlePlan(plan, compilation, storage, options.onPlanChange);
  storage.checkAtoms(atoms);
  await flow.tell({ type: 'resume' });
  const slots: (AtomSlot | undefined)[] = compilation.nodes.map(() => undefined);
  const registered = storage.registerAtoms(atoms);
  compilation.atoms.forEach(({ index }, at) => (slots[index] = registered[at]));
  if (plan !== null) storage.keepPlan(plan);
  storage.surroundings = surroundingsOf(compilation, slots);
  const transient = options.injectTransient;
  for (const { name, item } of compilation.atoms) {
    if (item.inject !== undefined) storage.addAtomArguments(name, item.inject, { transient });
  }
  await flow.tell({ type: 'suspended' });
  return slots;
}

/** What the parts of an engine share, with actors that its company employs. */
export function runtimeFor(
  parts: Omit<RuntimeParts, 'actorsFor'>,
  company: Company,
  notifier: AnnouncedNotifier<AtomDetails>,
): Runtime {
  return new Runtime({
    ...parts,
    actorsFor: (runtime) => {
      const services = atomServices(runtime, notifier);
      const employTask = company.employer(taskMachine, services);
      const employRetry = company.employer(retryMachine, services);
      return ({ kind, name, index }, state) => (kind === 'task' ? employTask : employRetry)({ name, index }, state);
    },
  });
}
