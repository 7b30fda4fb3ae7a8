import { UnsupportedError } from '../errors.js';
import type { AtomDetail, FlowDetail, LogBook } from './details.js';

// Details are never changed: what TaskFlow does to one of its models gives a new one here. To take over everything of
// another, or to copy one, is to spread it.

/**
 * The book with another's metadata and times. Its flows stay.
 *
 * @see TaskFlow `persistence/models.py`, `LogBook.merge`.
 */
export function mergeLogBook(book: LogBook, { meta, createdAt, updatedAt }: LogBook): LogBook {
  return { ...book, meta, createdAt, updatedAt };
}

/** The run with another's state and metadata. Its atoms stay. @see TaskFlow `FlowDetail.merge`. */
export function mergeFlowDetail(flow: FlowDetail, { state, meta }: FlowDetail): FlowDetail {
  return { ...flow, state, meta };
}

/**
 * The atom with all that another knows: state, intention, results and failures of both methods, metadata and version.
 *
 * @throws {UnsupportedError} for a task and a retry.
 * @see TaskFlow `TaskDetail.merge` and `RetryDetail.merge`. Differs: what a retry's `revert` gave is merged too (D3).
 */
export function mergeAtomDetail<Detail extends AtomDetail>(atom: Detail, other: AtomDetail): Detail {
  if (atom.kind !== other.kind) {
    throw new UnsupportedError(`The ${atom.kind} '${atom.name}' cannot take over the ${other.kind} '${other.name}'`);
  }
  const { uuid, name, position } = atom;
  return { ...(other as Detail), uuid, name, position };
}

/** The book or the run without what is in it. */
export function withoutContents<Container extends LogBook | FlowDetail>(container: Container): Container {
  return 'flows' in container ? { ...container, flows: [] } : { ...container, atoms: [] };
}
