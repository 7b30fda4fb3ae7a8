import type { RunNews, RunPicture } from './run-picture.js';

/** How much of a run somebody knows. */
export interface Knowledge {
  /** Of the source that it was heard from. */
  readonly source: string;
  /** The number of the last news. */
  readonly version: number;
  /** The last entry of the history. */
  readonly upTo: number;
}

/** A run that can be looked at, and that may still change. */
export interface RunSource {
  /** Takes in what has happened. What the others give is as new as that. */
  look(): Promise<void>;
  /** All of it. */
  picture(): RunPicture;
  /** What is new to somebody; null for one who knows it from another source, and has to be shown all of it. */
  newsFor(known: Knowledge): RunNews | null;
  /** How much somebody knows who was given the latest. */
  readonly latest: Knowledge;
  /** Calls when there is something new, perhaps more often. */
  onNews(listener: () => void): Disposable;
  /** Calls when there will never be anything new. */
  onEnd(listener: () => void): Disposable;
  /** Looks at the run no more. */
  close(): void;
}

/** As one word, for the id of an event. */
export function knowledgeText({ source, version, upTo }: Knowledge): string {
  return `${source}.${version}.${upTo}`;
}

/** @returns null for any other text. */
export function readKnowledge(text: string): Knowledge | null {
  const [, source, version, upTo] = /^([0-9a-f-]{1,64})\.(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  return source === undefined ? null : { source, version: Number(version), upTo: Number(upTo) };
}
