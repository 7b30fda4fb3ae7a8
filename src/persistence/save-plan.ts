import { DuplicateError, StaleFenceError, StorageConflictError, UnsupportedError } from '../errors.js';
import type { FlowQuery, FoundFlow, UnitOfWork } from './backend.js';
import type { AtomDetail, FlowDetail } from './details.js';

/** What this file needs to know of a stored or given flow; everything else in it is compared and passed on. */
interface FlowLike extends CommitFacts {
  readonly uuid: string;
  readonly name: string;
}

/** What every commit changes by itself. */
type CommitFacts = Pick<FlowDetail, 'revision' | 'updatedAt' | 'fence' | 'lastCommit'>;

interface AtomLike {
  readonly uuid: string;
  readonly name: string;
  readonly kind: AtomDetail['kind'];
}

export interface StoredFlow<Flow extends FlowLike, Atom extends AtomLike> {
  readonly bookUuid: string;
  readonly flow: Flow;
  readonly atoms: ReadonlyMap<string, Atom>;
}

/** What has to be written so that a saved flow detail is merged into what is stored. */
export interface SavePlan<Flow, Atom> {
  /** At the revision that it will have. */
  readonly flow: Flow;
  /** Those that are new or differ. */
  readonly atoms: readonly Atom[];
}

/**
 * How a flow detail is merged when its book is saved: one rule for all backends.
 *
 * One that is not stored is inserted at its own revision. One that is stored is written only where it differs, and
 * then counts as one more commit (C5), so that an engine that runs it notices; atoms that are not given stay.
 *
 * @returns null when nothing is to be written.
 * @throws {StorageConflictError} for one that differs and was read at another revision than the stored one is at.
 * @throws {DuplicateError} for a uuid that is taken in another book, or an atom's name that is taken.
 * @throws {UnsupportedError} for an atom that turned from a task into a retry, or the other way round.
 */
export function planSave<Flow extends FlowLike, Atom extends AtomLike>(
  bookUuid: string,
  stored: StoredFlow<Flow, Atom> | null,
  given: { readonly flow: Flow; readonly atoms: readonly Atom[] },
): SavePlan<Flow, Atom> | null {
  const { flow } = given;
  const givenAtoms = lastOfEach(given.atoms);
  refuseMisplacedAtoms(flow.uuid, stored?.atoms.values() ?? [], givenAtoms);
  if (stored === null) return { flow, atoms: givenAtoms };
  if (stored.bookUuid !== bookUuid) {
    throw new DuplicateError(
      `The flow detail ${flow.uuid} ('${flow.name}') belongs to the logbook ${stored.bookUuid} already`,
    );
  }
  const { revision, fence } = stored.flow;
  const atoms = givenAtoms.filter((atom) => !isSame(stored.atoms.get(atom.uuid), atom));
  if (atoms.length === 0 && isSame({ ...stored.flow, ...factsOf(flow) }, flow)) return null;
  if (revision !== flow.revision) throw new StorageConflictError(flow.uuid, flow.revision, revision);
  return { flow: { ...flow, revision: revision + 1, fence, lastCommit: null }, atoms };
}

function factsOf({ revision, updatedAt, fence, lastCommit }: FlowLike): CommitFacts {
  return { revision, updatedAt, fence, lastCommit };
}

/**
 * Whether a unit of work is to be applied to what is stored of its flow: one rule for all backends.
 *
 * @returns false for one that was the last to be applied: it was sent again.
 * @throws {StaleFenceError} for one that was made under a claim that was taken over.
 * @throws {StorageConflictError} for one that expects another revision.
 */
export function mustApply({ flowUuid, id, expectedRevision, fence }: UnitOfWork, stored: CommitFacts): boolean {
  const { revision } = stored;
  if (id !== undefined && stored.lastCommit === id && revision === expectedRevision + 1) return false;
  if (fence !== undefined && fence < stored.fence) {
    throw new StaleFenceError(flowUuid, [expectedRevision, revision], fence, stored.fence);
  }
  if (revision !== expectedRevision) throw new StorageConflictError(flowUuid, expectedRevision, revision);
  return true;
}

/** @throws {StorageConflictError} for a run that is to be removed and is at another revision than expected. */
export function checkRevision({ uuid, revision }: Pick<FlowDetail, 'uuid' | 'revision'>, expected = revision): void {
  if (revision !== expected) throw new StorageConflictError(uuid, expected, revision);
}

/** What a unit of work makes of the facts that every commit changes. */
export function advanced<Flow extends CommitFacts>(
  flow: Flow,
  { id, at = flow.updatedAt, fence = flow.fence }: UnitOfWork,
): Flow {
  return { ...flow, revision: flow.revision + 1, updatedAt: at, fence, lastCommit: id ?? null };
}

/** Whether a query is true of a run: for stores that cannot be asked themselves. */
export function isAskedFor(query: FlowQuery, bookUuid: string, flow: Pick<FlowDetail, 'state' | 'name' | 'updatedAt'>) {
  const { states, name, updatedBefore = Infinity } = query;
  return (
    (states === undefined || states.includes(flow.state ?? 'PENDING')) &&
    (name === undefined || name === flow.name) &&
    (query.bookUuid === undefined || query.bookUuid === bookUuid) &&
    flow.updatedAt < updatedBefore
  );
}

/** Sorts runs: the longest unchanged first; those of one age by uuid. */
export function byLastChange({ flow: left }: FoundFlow, { flow: right }: FoundFlow): number {
  return left.updatedAt - right.updatedAt || (left.uuid < right.uuid ? -1 : 1);
}

/** Of several records with one uuid, written together, the last counts. */
export function lastOfEach<Detail extends { readonly uuid: string }>(details: readonly Detail[]): readonly Detail[] {
  if (details.length < 2) return details;
  const byUuid = new Map(details.map((detail) => [detail.uuid, detail]));
  return byUuid.size === details.length ? details : [...byUuid.values()];
}

/** @throws {DuplicateError} for an atom's uuid that occurs in two of the flow details of a book. */
export function refuseSharedAtoms(flows: readonly FlowDetail[]): void {
  const owners = new Map<string, string>();
  for (const flow of flows) {
    for (const atom of flow.atoms) {
      const owner = owners.get(atom.uuid) ?? flow.uuid;
      if (owner !== flow.uuid) throw takenElsewhere(atom, owner);
      owners.set(atom.uuid, owner);
    }
  }
}

/**
 * Finds atoms that cannot be written over what is stored in their flow.
 *
 * @throws {DuplicateError} for a second atom of one name.
 * @throws {UnsupportedError} for an atom of another kind than it had.
 */
export function refuseMisplacedAtoms(flowUuid: string, stored: Iterable<AtomLike>, given: readonly AtomLike[]): void {
  const atoms = new Map<string, AtomLike>();
  for (const atom of stored) atoms.set(atom.uuid, atom);
  for (const atom of given) {
    const before = atoms.get(atom.uuid);
    if (before !== undefined && before.kind !== atom.kind) {
      throw new UnsupportedError(`The ${before.kind} '${before.name}' cannot become the ${atom.kind} '${atom.name}'`);
    }
    atoms.set(atom.uuid, atom);
  }
  const uuids = new Map<string, string>();
  for (const { uuid, name } of atoms.values()) {
    const other = uuids.get(name);
    if (other !== undefined) {
      throw new DuplicateError(`The flow detail ${flowUuid} takes one atom named '${name}', got ${other} and ${uuid}`);
    }
    uuids.set(name, uuid);
  }
}

/** An atom's uuid is in use in another flow. */
export function takenElsewhere(
  atom: { readonly uuid: string; readonly name: string },
  flowUuid: string,
): DuplicateError {
  return new DuplicateError(`The atom ${atom.uuid} ('${atom.name}') belongs to the flow detail ${flowUuid} already`);
}

/** A journal has one entry of each number. */
export function entryTaken(flowUuid: string, sequence: number): DuplicateError {
  return new DuplicateError(`The journal of the flow detail ${flowUuid} has an entry ${sequence} already`);
}

/** The first entry whose number the journal of a flow has already, or that comes twice. */
export function entryTwice<Entry extends { readonly sequence: number }>(
  given: readonly Entry[],
  last: number,
): Entry | undefined {
  let before = last;
  return given.find(({ sequence }) => {
    const isTaken = sequence <= before;
    before = sequence;
    return isTaken;
  });
}

/** Both have the same fields: they were made by the same function. */
function isSame(stored: object | undefined, given: object): boolean {
  if (stored === undefined) return false;
  const fields = new Map(Object.entries(stored));
  return Object.entries(given).every(([key, value]) => Object.is(fields.get(key), value));
}
