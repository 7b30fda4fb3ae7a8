import { entryTaken, entryTwice } from '../../save-plan.js';
import type { JournalQuery } from '../../backend.js';
import type { JournalRow, Read } from '../../rows.js';
import type { PathRecords } from './path-records.js';
import { putJournalPage, removeJournalPage } from './path-records.js';
import type { RecordWriter } from './record-store.js';

/*
 * A journal is kept in pages of so many entries: a commit writes the last of them anew, and a long journal is not read
 * where it is added to.
 */

const PAGE = 32;
const PAGES_AT_ONCE = 16;

const pageOf = (sequence: number): number => Math.floor((sequence - 1) / PAGE);
const nameOf = (flowUuid: string, page: number): string => `${flowUuid}/${page}`;

/** @throws {DuplicateError} for an entry whose number is taken. */
export async function addToJournal(
  records: PathRecords,
  writer: RecordWriter,
  flowUuid: string,
  entries: readonly JournalRow[],
): Promise<void> {
  const pages = new Map<number, JournalRow[]>();
  for (const entry of entries) {
    const page = pageOf(entry.sequence);
    const known = pages.get(page);
    if (known === undefined) pages.set(page, [entry]);
    else known.push(entry);
  }
  for (const [page, added] of pages) {
    const name = nameOf(flowUuid, page);
    const [stored = null] = await records.journalPages([name]);
    const taken = entryTwice(added, Number(stored?.at(-1)?.sequence ?? 0));
    if (taken !== undefined) throw entryTaken(flowUuid, taken.sequence);
    putJournalPage(writer, name, [...(stored ?? []), ...added]);
  }
}

export async function readJournal(
  records: PathRecords,
  flowUuid: string,
  { after = 0, limit = Infinity }: JournalQuery,
): Promise<Read<JournalRow>[]> {
  const found: Read<JournalRow>[] = [];
  for await (const entries of pagesFrom(records, flowUuid, pageOf(after + 1))) {
    for (const entry of entries) if (Number(entry.sequence) > after) found.push(entry);
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

export async function removeJournal(records: PathRecords, writer: RecordWriter, flowUuid: string): Promise<void> {
  let page = 0;
  for await (const _ of pagesFrom(records, flowUuid, 0)) {
    removeJournalPage(writer, nameOf(flowUuid, page));
    page += 1;
  }
}

/** The pages of a journal, from one on: they have no gaps. */
async function* pagesFrom(
  records: PathRecords,
  flowUuid: string,
  first: number,
): AsyncGenerator<readonly Read<JournalRow>[]> {
  for (let page = first, count = 1; ; page += count, count = PAGES_AT_ONCE) {
    const names = Array.from({ length: count }, (_, index) => nameOf(flowUuid, page + index));
    for (const entries of await records.journalPages(names)) {
      if (entries === null) return;
      yield entries;
    }
  }
}
