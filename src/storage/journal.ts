import type { FlowState } from '../../machines/index.js';
import type { Clock } from '../environment.js';
import type { Connection, JournalQuery } from '../persistence/backend.js';
import type { AtomDetail, FlowDetail } from '../persistence/details.js';
import { foldJournal } from '../persistence/fold-journal.js';
import type { JournaledRun } from '../persistence/fold-journal.js';
import type { JournalEntity, JournalEntry } from '../persistence/journal-entry.js';
import { isReserved } from './reserved.js';

/** What made a state change. */
export interface Transition {
  /** The event that the entity's machine took; null where there was none. */
  readonly event: string | null;
  readonly cause: string | null;
}

/** What is said of records that a journal begins with, or finds otherwise than it told. */
const FOUND: Transition = { event: null, cause: 'as it was when the journal was taken up' };

const PAGE = 1000;

/**
 * Takes up the journal of a stored run: goes through what there is of it.
 *
 * @param connection - null for a run that is kept in memory only, whose journal begins now.
 */
export async function journalSoFar(connection: Connection | null, flowUuid: string): Promise<JournaledRun> {
  let run = foldJournal([]);
  if (connection === null) return run;
  for (;;) {
    const page = await connection.getJournal(flowUuid, { after: run.sequence, limit: PAGE });
    run = foldJournal(page, { onto: run });
    if (page.length < PAGE) return run;
  }
}

/**
 * The journal of the run of an engine: what changes is noted at once, and durable with the next commit.
 *
 * It begins with the states that there are, so that going through it gives the states of the run at any time.
 */
export class Journal {
  /** Those that no commit has taken along; without a store, all. */
  #entries: JournalEntry[] = [];
  #last: number;
  readonly #flow: JournalEntity;

  constructor(
    flowDetail: FlowDetail,
    told: JournaledRun,
    private readonly connection: Connection | null,
    private readonly clock: Clock,
  ) {
    this.#last = told.sequence;
    this.#flow = { kind: 'flow', name: flowDetail.name, uuid: flowDetail.uuid };
    const state = flowDetail.state ?? 'PENDING';
    if (told.flow?.state !== state) {
      this.#note(this.#flow, told.flow?.state ?? null, state, told.sequence === 0 ? null : FOUND);
    }
    for (const detail of flowDetail.atoms) {
      const before = told.atoms.get(detail.uuid);
      if (isReserved(detail.name) || (before?.state === detail.state && before.name === detail.name)) continue;
      this.#note(entityOf(detail), before?.state ?? null, detail.state, FOUND);
    }
  }

  /** An atom was registered. */
  noteNew(detail: AtomDetail): void {
    if (!isReserved(detail.name)) this.#note(entityOf(detail), null, detail.state, null);
  }

  /** The record of an atom is replaced. Whatever changes its state is noted, whoever it was. */
  noteAtom(before: AtomDetail, detail: AtomDetail, by: Transition | null): void {
    const isRenamed = before.name !== detail.name;
    if (before.state === detail.state && !isRenamed && (by === null || by.event === null)) return;
    if (isReserved(detail.name)) return;
    const renamed = isRenamed ? { event: null, cause: oneLine(`it was named ${before.name}`) } : null;
    this.#note(entityOf(detail), before.state, detail.state, by ?? renamed);
  }

  noteFlow(before: FlowState, state: FlowState, by: Transition | null): void {
    if (before !== state || (by !== null && by.event !== null)) this.#note(this.#flow, before, state, by);
  }

  #note(entity: JournalEntity, from: JournalEntry['from'], to: JournalEntry['to'], by: Transition | null): void {
    const [event, cause] = by === null ? [null, null] : [by.event, by.cause];
    this.#entries.push({ sequence: ++this.#last, at: this.clock.now(), entity, from, event, to, cause });
  }

  /** What the commit that is being made takes along. */
  take(): readonly JournalEntry[] {
    const taken = this.#entries;
    this.#entries = [];
    return taken;
  }

  /** For a commit that was refused: the next takes them along. */
  takeBack(entries: readonly JournalEntry[]): void {
    this.#entries = [...entries, ...this.#entries];
  }

  /**
   * What is durable, and what is not yet.
   *
   * @param sent - Entries that a store may have or not; null when the run is somebody else's, and nothing more of this
   * journal will be durable.
   */
  async read(
    { after = 0, limit = Infinity }: JournalQuery,
    sent: readonly JournalEntry[] | null,
  ): Promise<JournalEntry[]> {
    const own = sent === null ? [] : [...sent, ...this.#entries];
    const { connection } = this;
    const stored =
      connection === null
        ? []
        : await connection.getJournal(this.#flow.uuid, { after, ...(limit === Infinity ? {} : { limit }) });
    const last = stored.at(-1)?.sequence ?? after;
    return [...stored, ...own.filter(({ sequence }) => sequence > last)].slice(0, limit);
  }
}

function entityOf({ kind, name, uuid }: AtomDetail): JournalEntity {
  return { kind, name, uuid };
}

const LONGEST = 200;

/** A text as the cause in a journal: one line, not long. */
export function oneLine(text: string): string {
  const line = text
    .slice(0, 2 * LONGEST)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`;
}
