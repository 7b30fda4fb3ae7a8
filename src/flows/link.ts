import type { Depth } from './depth.js';

/** Says whether what comes after a link may run, from what ran before it. */
export type Decider = (input: {
  /** Results of the atoms on the other end of links with a decider, by atom name; without ignored ones. */
  readonly history: Readonly<Record<string, unknown>>;
}) => boolean;

/** Why there is a link, and whether it is always followed. */
export interface LinkMetadata {
  /** The pattern of the flow makes it. */
  readonly invariant?: true;
  /** Somebody asked for it. */
  readonly manual?: true;
  /** The symbols that go along it. */
  readonly reasons?: ReadonlySet<string>;
  /** It leads from a retry to what the retry controls. */
  readonly retry?: true;
  readonly decider?: Decider;
  /** Not there without a decider; then it is ALL. */
  readonly deciderDepth?: Depth;
}
