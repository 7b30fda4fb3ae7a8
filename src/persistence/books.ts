import type { FlowState } from '../../machines/index.js';
import { NotFoundError } from '../errors.js';
import { systemEnvironment } from '../environment.js';
import type { Environment } from '../environment.js';
import type { PersistenceBackend } from './backend.js';
import type { AtomDetail, FlowDetail, LogBook, Meta } from './details.js';
import { usingConnection } from './using-connection.js';

export interface NewLogBook {
  readonly name: string;
  /** @default a new id */
  readonly uuid?: string;
  /** @default {} */
  readonly meta?: Meta;
}

/** A book without flows, made now. */
export function newLogBook(
  { name, uuid, meta = {} }: NewLogBook,
  environment: Environment = systemEnvironment,
): LogBook {
  return {
    uuid: uuid ?? environment.newId(),
    name,
    meta,
    createdAt: environment.clock.now(),
    updatedAt: null,
    flows: [],
  };
}

export interface NewFlowDetail {
  readonly name: string;
  /** @default a new id */
  readonly uuid?: string;
  /** @default null, which reads as PENDING */
  readonly state?: FlowState | null;
  /** @default {} */
  readonly meta?: Meta;
  /** @default [] */
  readonly atoms?: readonly AtomDetail[];
}

/** A run of a flow that has not begun. */
export function newFlowDetail(
  { name, uuid, state = null, meta = {}, atoms = [] }: NewFlowDetail,
  environment: Environment = systemEnvironment,
): FlowDetail {
  const now = environment.clock.now();
  const begun = { revision: 0, createdAt: now, updatedAt: now, fence: 0, lastCommit: null };
  return { uuid: uuid ?? environment.newId(), name, state, meta, ...begun, atoms };
}

/** The book with a flow detail more; one with the same uuid is replaced where it is. */
export function addFlowDetail(book: LogBook, flow: FlowDetail, environment: Environment = systemEnvironment): LogBook {
  return { ...book, updatedAt: environment.clock.now(), flows: withChild(book.flows, flow) };
}

/** The flow detail with an atom detail more; one with the same uuid is replaced. */
export function addAtomDetail(flow: FlowDetail, atom: AtomDetail): FlowDetail {
  return { ...flow, atoms: inOrder(withChild(flow.atoms, atom)) };
}

/** The child with a uuid, or null. */
export function findDetail<Child extends { readonly uuid: string }>(
  children: readonly Child[],
  uuid: string,
): Child | null {
  return children.find((child) => child.uuid === uuid) ?? null;
}

function withChild<Child extends { readonly uuid: string }>(
  children: readonly Child[],
  added: Child,
): readonly Child[] {
  const index = children.findIndex((child) => child.uuid === added.uuid);
  return index < 0 ? [...children, added] : children.with(index, added);
}

/** Atoms by position; those that share one, which nobody promised to avoid, by uuid. */
export function inOrder(atoms: readonly AtomDetail[]): readonly AtomDetail[] {
  return atoms.toSorted((left, right) => left.position - right.position || (left.uuid < right.uuid ? -1 : 1));
}

/** Sorts books: the oldest first; those of one age by uuid. */
export function byAge(left: LogBook, right: LogBook): number {
  return left.createdAt - right.createdAt || (left.uuid < right.uuid ? -1 : 1);
}

/** A book for runs that nobody will look for, saved when there is a backend. */
export async function temporaryLogBook({ backend, environment = systemEnvironment }: Keeping = {}): Promise<LogBook> {
  const book = newLogBook({ name: 'tmp' }, environment);
  return backend === undefined ? book : usingConnection(backend, (connection) => connection.saveLogbook(book));
}

interface Keeping {
  readonly backend?: PersistenceBackend | undefined;
  /** @default the platform's clock and ids */
  readonly environment?: Environment | undefined;
}

export interface CreateFlowDetailOptions extends Keeping {
  /** Where the run is entered. @default with a backend, a temporary book */
  readonly book?: LogBook | undefined;
  /** @default {} */
  readonly meta?: Meta | undefined;
}

/** A run, and the book that it was entered in, if any. */
export interface CreatedFlowDetail {
  readonly flowDetail: FlowDetail;
  /** As it is stored when there is a backend. */
  readonly book: LogBook | null;
}

/**
 * Enters a new run of a flow in a book, and saves both when there is a backend.
 *
 * What else the book holds is saved when it is not stored yet, and otherwise left as it is stored.
 */
export async function createFlowDetail(
  flowName: string,
  { book, backend, meta = {}, environment = systemEnvironment }: CreateFlowDetailOptions = {},
): Promise<CreatedFlowDetail> {
  const flowDetail = newFlowDetail({ name: flowName, meta }, environment);
  if (backend === undefined) {
    return { flowDetail, book: book === undefined ? null : addFlowDetail(book, flowDetail, environment) };
  }
  const target = addFlowDetail(book ?? newLogBook({ name: 'tmp' }, environment), flowDetail, environment);
  const saved = await usingConnection(backend, async (connection) => {
    const stored = new Set(
      book === undefined ? [] : await storedFlows(connection.getFlowsForBook(book.uuid, { lazy: true })),
    );
    return connection.saveLogbook({ ...target, flows: target.flows.filter((flow) => !stored.has(flow.uuid)) });
  });
  return { flowDetail, book: saved };
}

/** A run named `tmp-flow-detail` in a book named `tmp`, both saved when there is a backend. */
export async function temporaryFlowDetail(
  options: Omit<CreateFlowDetailOptions, 'book'> = {},
): Promise<{ readonly flowDetail: FlowDetail; readonly book: LogBook }> {
  const book = newLogBook({ name: 'tmp' }, options.environment);
  const created = await createFlowDetail('tmp-flow-detail', { ...options, book });
  return { flowDetail: created.flowDetail, book: created.book ?? book };
}

async function storedFlows(looking: Promise<readonly FlowDetail[]>): Promise<readonly string[]> {
  try {
    return (await looking).map((flow) => flow.uuid);
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}
