import type { PictureEntry } from './run-picture.js';

/** A run as it was after some of the entries of its history. */
export interface Moment {
  /** How many entries had been written. */
  readonly count: number;
  readonly flowState: string;
  /** By part; null for flows. */
  readonly states: readonly (string | null)[];
  /** By part, the place in the history of its last entry; -1: there was none yet. */
  readonly lastEntries: Int32Array;
}

/** Entries between two moments that are kept, so that each can be found from the one before it. */
const STRIDE = 512;

/** What happened in a run, to be looked at as it was at any moment. Entries are only ever added. */
export class History {
  readonly entries: PictureEntry[] = [];
  /** By part, the places in `entries` of its own. */
  readonly #byPart: number[][];
  readonly #kept: Moment[] = [];

  /**
   * @param present - By part, the state that it is in now; null for flows. It was in it all the time where no entry
   * tells otherwise.
   */
  constructor(
    private readonly present: readonly (string | null)[],
    private readonly flowState: string,
  ) {
    this.#byPart = present.map(() => []);
  }

  add(entries: readonly PictureEntry[]): void {
    for (const entry of entries) {
      if (entry.part !== null) this.#byPart[entry.part]?.push(this.entries.length);
      this.entries.push(entry);
    }
    // What a part began in is told by its first entry.
    if (entries.length > 0) this.#kept.length = 0;
  }

  /** The places in `entries` of those of one part. */
  placesOf(part: number): readonly number[] {
    return this.#byPart[part] ?? [];
  }

  /** The entry of a part that comes after so many entries. */
  nextOf(part: number, count: number): PictureEntry | null {
    const place = this.placesOf(part).find((each) => each >= count);
    return place === undefined ? null : (this.entries[place] ?? null);
  }

  /** The run after the first `count` entries. */
  at(count: number): Moment {
    const wanted = Math.max(0, Math.min(count, this.entries.length));
    while (this.#kept.length * STRIDE <= wanted) this.#keepNext();
    const before = this.#kept[Math.floor(wanted / STRIDE)] ?? this.#beginning();
    return this.#after(before, wanted);
  }

  #keepNext(): void {
    const last = this.#kept.at(-1);
    this.#kept.push(last === undefined ? this.#beginning() : this.#after(last, last.count + STRIDE));
  }

  #beginning(): Moment {
    const first = this.entries.find(({ part }) => part === null);
    const states = this.present.map((state, part) => {
      const [place] = this.placesOf(part);
      return place === undefined ? state : (this.entries[place]?.from ?? 'PENDING');
    });
    return {
      count: 0,
      flowState: first === undefined ? this.flowState : (first.from ?? 'PENDING'),
      states,
      lastEntries: new Int32Array(states.length).fill(-1),
    };
  }

  #after(moment: Moment, count: number): Moment {
    let { flowState } = moment;
    const states = [...moment.states];
    const lastEntries = moment.lastEntries.slice();
    for (let place = moment.count; place < count; place++) {
      const entry = this.entries[place];
      if (entry === undefined) break;
      if (entry.part === null) flowState = entry.to ?? 'PENDING';
      else {
        states[entry.part] = entry.to ?? 'PENDING';
        lastEntries[entry.part] = place;
      }
    }
    return { count, flowState, states, lastEntries };
  }
}
