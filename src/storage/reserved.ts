/** The name of the record that holds injected values. No atom may have it. */
export const INJECTOR = '_flowstate_injector';

/** The name of the record that holds the plan of the flow, and of its fingerprint in the metadata of the flow. */
export const PLAN = '_flowstate_plan';

/** Whether a record belongs to the run, and is no atom's. */
export function isReserved(name: string): boolean {
  return name === INJECTOR || name === PLAN;
}

/** @throws {RangeError} for a name that no atom may have. */
export function checkName(name: string, kind: 'task' | 'retry'): void {
  if (name === '') throw new RangeError(`A ${kind} needs a name that is not empty`);
  if (isReserved(name)) throw new RangeError(`The name ${name} is reserved`);
}
