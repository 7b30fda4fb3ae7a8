import type { RunPicture } from './run-picture.js';

/** What the page is given to begin with. */
export interface PageData {
  readonly picture: RunPicture;
  /** Where news comes from, and what is known; null for a page that was saved. */
  readonly live: { readonly path: string; readonly since: string } | null;
}

/** The element that holds the data of a page. */
export const DATA_ID = 'flowstate-run';
