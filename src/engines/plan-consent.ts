import { shown } from '../atoms/arguments.js';
import type { Compilation } from '../compiler/compilation.js';
import type { Plan } from '../compiler/plan.js';
import { planOf } from '../compiler/plan.js';
import { readPlan } from '../compiler/read-plan.js';
import { DuplicateError, IncompatibleVersionError, NotFoundError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import type { Attempt, AtomDetail } from '../persistence/details.js';
import type { Storage } from '../storage/storage.js';
import { isReserved } from '../storage/reserved.js';
import type { PlanDifference } from './plan-difference.js';
import { differenceBetween, isUnderWay } from './plan-difference.js';

/** What is done to a stored run so that a changed flow can go on with it. */
export interface PlanMigration {
  /** New names of stored atoms, by their old ones. A record keeps its id, its state and its results. */
  readonly rename?: Readonly<Record<string, string>> | undefined;
  /** What makes a new result of the stored one, by the new name of the atom; of a retry, of each attempt's value. */
  readonly convert?: Readonly<Record<string, (result: unknown) => unknown>> | undefined;
}

/** What is to be done with a run whose flow has changed: go on, refuse, or migrate and go on. */
export type PlanAnswer = 'accept' | 'refuse' | PlanMigration;

/** Asked about a difference that needs consent. */
export type OnPlanChange = 'accept' | 'refuse' | ((difference: PlanDifference) => PlanAnswer | Promise<PlanAnswer>);

/** A run was stored with another flow than the one that it is to go on with. Nothing was changed. */
export class PlanChangedError extends IncompatibleVersionError {
  override readonly name = 'PlanChangedError';
  readonly flowUuid: string;
  readonly difference: PlanDifference;

  constructor(flowUuid: string, difference: PlanDifference, options?: ErrorOptions) {
    super(
      `The run ${flowUuid} of ${difference.flow.from} was stored with another plan of the flow. What needs consent is ` +
        `marked with !:\n${difference.toString()}\nTo go on nevertheless, load it with onPlanChange: 'accept', or ` +
        'with a function that gives a migration: { rename: { old: new }, convert: { atom: (result) => result } }; ' +
        'or run it to its end with the flow that it began with',
      options,
    );
    this.flowUuid = flowUuid;
    this.difference = difference;
  }
}

/** How the flow differs from the one that the run was last prepared with; null where no plan was kept. */
export function planDifference(compilation: Compilation, storage: Storage): PlanDifference | null {
  return storage.planFingerprint === null ? null : compared(planOf(compilation), compilation, storage);
}

function compared({ text }: Plan, compilation: Compilation, storage: Storage): PlanDifference {
  return differenceBetween(readPlan(storedPlan(storage)), readPlan(text), compilation, storage);
}

/** @throws {RangeError} for a run that was read without its records: it would be taken for one that never began. */
function storedPlan({ planText, flowUuid }: Storage): string {
  if (planText !== null) return planText;
  throw new RangeError(`flowDetail takes a run with its atoms, got the run ${flowUuid} without: was it read lazily?`);
}

/**
 * Sees to it that a run can go on with a flow, and migrates it if it has to be (D20).
 *
 * A run without a plan, and one of which nothing stands, take any flow. What was migrated, and the new plan, are durable
 * together when it resolves.
 *
 * @param plan - That of the compilation.
 * @throws {PlanChangedError} when there is no consent; nothing is changed then.
 * @throws {DuplicateError|NotFoundError|RangeError|TypeError} for a migration that cannot be made, likewise.
 * @throws {RangeError} for a run that was read lazily.
 */
export async function settlePlan(
  plan: Plan,
  compilation: Compilation,
  storage: Storage,
  onPlanChange: OnPlanChange,
): Promise<void> {
  const { planFingerprint } = storage;
  if (planFingerprint === null) return;
  storedPlan(storage);
  if (planFingerprint === plan.fingerprint || !isUnderWay(storage)) return;
  const atoms = compilation.atoms.map(({ item }) => item);
  // An atom that turned from a task into a retry is a mistake, and no change that one could consent to.
  if (typeof onPlanChange !== 'function') storage.checkAtoms(atoms);
  const difference = compared(plan, compilation, storage);
  if (!difference.needsConsent) return;
  const answer = typeof onPlanChange === 'function' ? await onPlanChange(difference) : onPlanChange;
  if (answer === 'refuse') throw new PlanChangedError(storage.flowUuid, difference);
  if (answer === 'accept') return;
  const { rename, convert } = readMigration(answer);
  const names = orderOfRenaming(rename, compilation, storage);
  const changed = await converted(convert, names, compilation, storage);
  // Nothing can be refused from here on.
  storage.renameAtoms(names);
  for (const [name, change] of changed) {
    const slot = storage.slot(name);
    storage.write(slot, change(slot.detail));
  }
  storage.keepPlan(plan);
  await storage.commit();
}

function readMigration(answer: unknown): { rename: Map<string, unknown>; convert: Map<string, unknown> } {
  const takes = "onPlanChange takes a function that returns 'accept', 'refuse' or { rename, convert }";
  if (!isObject(answer)) throw new TypeError(`${takes}, got ${shown(answer)}`);
  for (const key of Object.keys(answer)) {
    if (key !== 'rename' && key !== 'convert') throw new RangeError(`${takes}, got ${JSON.stringify(key)}`);
  }
  const read = (key: 'rename' | 'convert') => {
    const given: unknown = Object.hasOwn(answer, key) ? (answer as PlanMigration)[key] : undefined;
    if (given !== undefined && !isObject(given)) throw new TypeError(`${takes}, for ${key} got ${shown(given)}`);
    return new Map<string, unknown>(Object.entries(given ?? {}));
  };
  return { rename: read('rename'), convert: read('convert') };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Checks the names; then those come first whose new name is nobody's, since stores check each record by itself. */
function orderOfRenaming(
  rename: ReadonlyMap<string, unknown>,
  compilation: Compilation,
  storage: Storage,
): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const [from, to] of rename) {
    if (typeof to !== 'string') throw new TypeError(`rename takes names, got ${shown(to)} for ${from}`);
    if (isReserved(from) || storage.find(from) === undefined) {
      throw new NotFoundError(`rename: ${absent(from, storage.atomNames())} in the stored run`);
    }
    if (!compilation.hasAtom(to)) {
      throw new NotFoundError(
        `rename: ${absent(
          to,
          compilation.atoms.map(({ name }) => name),
        )} in ${compilation.name}`,
      );
    }
    if (from === to) continue;
    const other = sources.get(to);
    if (other !== undefined) throw new DuplicateError(`rename: both ${other} and ${from} would be named ${to}`);
    sources.set(to, from);
  }
  const names = new Map([...sources].map(([to, from]) => [from, to]));
  for (const [from, to] of names) {
    if (storage.find(to) !== undefined && !names.has(to)) {
      throw new DuplicateError(`rename: ${from} cannot be named ${to}, the stored run has an atom of that name`);
    }
  }
  const ordered = new Map<string, string>();
  for (const [to] of sources) {
    if (names.has(to)) continue;
    // Each name that becomes free can be taken by the next.
    for (let free = to, from = sources.get(free); from !== undefined; free = from, from = sources.get(free)) {
      ordered.set(from, free);
    }
  }
  if (ordered.size < names.size) {
    const circle = [...names.keys()].filter((name) => !ordered.has(name));
    throw new RangeError(`rename takes names that become free, got a circle: ${circle.join(', ')}`);
  }
  storage.checkAtoms(
    compilation.atoms.map(({ item }) => item),
    (name) => storage.find(sources.get(name) ?? (names.has(name) ? '' : name)),
  );
  return ordered;
}

function absent(name: string, known: readonly string[]): string {
  const meant = nearestName(name, known);
  return `there is no atom named ${JSON.stringify(name)}${meant === null ? '' : ` (did you mean ${meant}?)`}`;
}

/** What puts converted results into records, by the new names of the atoms. Everything that can fail has been done. */
async function converted(
  convert: ReadonlyMap<string, unknown>,
  renamed: ReadonlyMap<string, string>,
  compilation: Compilation,
  storage: Storage,
): Promise<ReadonlyMap<string, (detail: AtomDetail) => AtomDetail>> {
  const changes = new Map<string, (detail: AtomDetail) => AtomDetail>();
  const oldNames = new Map(Array.from(renamed, ([from, to]) => [to, from]));
  for (const [name, change] of convert) {
    const isGone = renamed.has(name) && !oldNames.has(name);
    const detail = isGone ? undefined : storage.find(oldNames.get(name) ?? name);
    if (detail === undefined || !compilation.hasAtom(name)) {
      const known = compilation.atoms.map((atom) => atom.name);
      throw new NotFoundError(`convert: ${absent(name, known)} in the run`);
    }
    if (typeof change !== 'function') throw new TypeError(`convert takes functions, got ${shown(change)} for ${name}`);
    const convertOne = async (result: unknown) => {
      const value: unknown = await (change as (result: unknown) => unknown)(result);
      storage.codec?.encode(value);
      return value;
    };
    changes.set(name, await conversionOf(detail, convertOne));
  }
  return changes;
}

async function conversionOf(
  detail: AtomDetail,
  convert: (result: unknown) => Promise<unknown>,
): Promise<(detail: AtomDetail) => AtomDetail> {
  if (detail.kind === 'retry') {
    const provided: unknown[] = [];
    for (const attempt of detail.results) provided.push(await convert(attempt.provided));
    // The failures of its attempts are named after the atoms, which may have been renamed.
    const convertAll = (attempts: readonly Attempt[]) =>
      attempts.map(({ failures }, at) => ({ provided: provided[at], failures }));
    return (renamed) => (renamed.kind === 'retry' ? { ...renamed, results: convertAll(renamed.results) } : renamed);
  }
  const hasResult = detail.failure === null && (detail.state === 'SUCCESS' || detail.results !== null);
  if (!hasResult) return (renamed) => renamed;
  const results = await convert(detail.results);
  return (renamed) => (renamed.kind === 'task' ? { ...renamed, results } : renamed);
}
