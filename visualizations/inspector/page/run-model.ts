import type { Moment } from '../history.js';
import { History } from '../history.js';
import type { AtomFacts, PictureReason, RunNews, RunPicture } from '../run-picture.js';
import { Neighbours, whyAt } from '../why-at.js';

/** Whether news is still coming: `saved` never had any, `lost` is being tried again, `over` is told by the server. */
export type Connection = 'saved' | 'live' | 'lost';

/** What the page knows of the run. Told of each change, it grows; nothing in it is ever taken back. */
export class RunModel {
  picture: RunPicture;
  connection: Connection = 'saved';
  history: History;
  neighbours: Neighbours;
  /** By part. */
  facts: readonly (AtomFacts | undefined)[];
  /** Counts the changes. */
  version = 0;
  #why: readonly PictureReason[] | null;
  #flowState: string;
  readonly #listeners = new Set<() => void>();

  constructor(picture: RunPicture) {
    this.picture = picture;
    this.neighbours = new Neighbours(picture.parts, picture.links);
    this.facts = byPart(picture, [], picture.news.atoms);
    this.#why = picture.news.why;
    this.#flowState = picture.news.flowState;
    this.history = this.#newHistory();
  }

  #newHistory(): History {
    const present = this.picture.parts.map(({ kind }, part) =>
      kind === 'flow' ? null : (this.facts[part]?.state ?? 'PENDING'),
    );
    const history = new History(present, this.picture.news.flowState);
    history.add(this.picture.news.entries);
    return history;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Another picture takes the place of all that was known. */
  replace(picture: RunPicture): void {
    this.picture = picture;
    this.neighbours = new Neighbours(picture.parts, picture.links);
    this.facts = byPart(picture, [], picture.news.atoms);
    this.history = this.#newHistory();
    this.#take(picture.news);
  }

  add(news: RunNews): void {
    this.picture = { ...this.picture, news };
    this.facts = byPart(this.picture, this.facts, news.atoms);
    const last = this.history.entries.at(-1)?.sequence ?? 0;
    // What is told twice counts once.
    this.history.add(news.entries.filter(({ sequence }) => sequence > last));
    this.#take(news);
  }

  connected(connection: Connection): void {
    if (this.connection === connection) return;
    this.connection = connection;
    this.#changed();
  }

  #take({ why, flowState }: RunNews): void {
    this.#why = why;
    this.#flowState = flowState;
    this.#changed();
  }

  #changed(): void {
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }

  /** The run after so many entries; null: as it is now. */
  momentAt(count: number | null): Moment {
    const { entries } = this.history;
    if (count !== null && count < entries.length) return this.history.at(count);
    const { lastEntries } = this.history.at(entries.length);
    const states = this.picture.parts.map(({ kind }, part) =>
      kind === 'flow' ? null : (this.facts[part]?.state ?? 'PENDING'),
    );
    return { count: entries.length, flowState: this.#flowState, states, lastEntries };
  }

  /** What the run waited for then; now it is the engine that says it, where there is one. */
  whyAt(moment: Moment): readonly PictureReason[] {
    const isNow = moment.count === this.history.entries.length;
    return isNow && this.#why !== null ? this.#why : whyAt(this.neighbours, this.history, moment);
  }
}

function byPart(
  { parts }: RunPicture,
  known: readonly (AtomFacts | undefined)[],
  changed: readonly AtomFacts[],
): readonly (AtomFacts | undefined)[] {
  const facts = parts.map((_, part) => known[part]);
  for (const each of changed) facts[each.part] = each;
  return facts;
}
