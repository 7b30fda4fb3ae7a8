import type { EngineStage, FlowState, Intention } from '../../machines/index.js';
import type { AtomState } from '../../src/persistence/details.js';

/** What the inspector page knows of one run: plain JSON. Values in it are texts that were masked and shortened. */
export interface RunPicture {
  /** Of this form of the picture. */
  readonly format: 1;
  readonly name: string;
  readonly uuid: string;
  /** All parts of the flow, a flow before what is in it. A part is known by its place in this list. */
  readonly parts: readonly PicturePart[];
  /** Between parts of one flow. */
  readonly links: readonly PictureLink[];
  readonly charts: readonly PictureChart[];
  /** Where its history comes from: the journal of the run, or what was heard since somebody looked; there may be none. */
  readonly history: 'journal' | 'heard' | 'none';
  /** Whether arguments and results are written down, are only said to be there, or are secrets of the store. */
  readonly values: 'shown' | 'hidden' | 'secret';
  readonly news: RunNews;
}

/** A flow, a task or a retry. */
export interface PicturePart {
  /** The flow that it is in; null for the outermost. */
  readonly parent: number | null;
  readonly kind: 'flow' | 'task' | 'retry';
  readonly name: string;
  /** null for atoms. */
  readonly pattern: string | null;
  readonly takes: readonly PictureArgument[];
  /** The symbols that it provides. */
  readonly gives: readonly string[];
}

/** Where an argument of an atom comes from. */
export interface PictureArgument {
  readonly argument: string;
  readonly symbol: string;
  readonly isOptional: boolean;
  /** The nearest atoms that provide it; none: it was given to the run. */
  readonly from: readonly number[];
}

/** An order between two parts of one flow. */
export interface PictureLink {
  readonly from: number;
  readonly to: number;
  /** The symbols that go along it, from within the one to within the other. */
  readonly carries: readonly string[];
  /** How far its decider reaches; null: it has none. */
  readonly decider: string | null;
}

/** A statechart, laid out. */
export interface PictureChart {
  readonly id: string;
  /** Where it begins. */
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly states: readonly PictureState[];
  readonly ways: readonly PictureWay[];
}

export interface PictureState {
  /** Its name; null for the dot that leads to the first state. */
  readonly name: string | null;
  readonly isFinal: boolean;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PictureWay {
  readonly from: string | null;
  readonly to: string | null;
  /** What is said at it. */
  readonly lines: readonly string[];
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly label: readonly [x: number, y: number];
}

/** What has changed in a run, or all of it. */
export interface RunNews {
  /** The last entry of the history that it knows of; 0 before the first. */
  readonly upTo: number;
  /** When it was written down, in milliseconds since 1970. */
  readonly at: number;
  readonly flowState: FlowState;
  /** The stage of the engine; null for a run that nobody here drives. */
  readonly stage: EngineStage | null;
  /** Those after the ones that are known already. */
  readonly entries: readonly PictureEntry[];
  /** Those of which something is new. */
  readonly atoms: readonly AtomFacts[];
  /** What the run waits for; null where only the history tells. */
  readonly why: readonly PictureReason[] | null;
}

/** One entry of the history. */
export interface PictureEntry {
  readonly sequence: number;
  readonly at: number;
  /** The atom; null for the flow. */
  readonly part: number | null;
  readonly from: AtomState | FlowState | null;
  readonly event: string | null;
  readonly to: AtomState | FlowState | null;
  readonly cause: string | null;
}

/** What is known of an atom now. */
export interface AtomFacts {
  readonly part: number;
  readonly state: AtomState;
  readonly intention: Intention;
  /** From 0 to 1; null: it told of none. */
  readonly progress: number | null;
  /** In the order of what it takes; null: there is no value yet. */
  readonly arguments: readonly (string | null)[];
  /** null: there is none. */
  readonly result: string | null;
  readonly failure: PictureFailure | null;
  readonly revertResult: string | null;
  readonly revertFailure: PictureFailure | null;
  /** Of a retry: what it provided each time, and what failed then. */
  readonly attempts: readonly PictureAttempt[];
}

export interface PictureFailure {
  readonly message: string;
  readonly stack: string | null;
}

export interface PictureAttempt {
  readonly provided: string;
  readonly failures: readonly { readonly atom: string; readonly message: string }[];
}

/** Why an atom has not come to its end. */
export interface PictureReason {
  /** null: the flow itself waits. */
  readonly part: number | null;
  readonly waitsFor: string;
  readonly of: readonly number[];
  readonly until: number | null;
  readonly message: string;
}
