import type { Box, Nesting } from './picture.js';
import { columnsOf, shortened, visible } from './text.js';

/** Sizes in pixels. Fonts of one width, so that boxes fit their text whoever shows them. */
export const NAME = { size: 13, column: 7.9, line: 18 };
export const NOTE = { size: 11, column: 6.7, line: 15 };

/** Longer names and notes are cut; all of them is in the tooltip. */
const LONGEST = 48;

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rectangle extends Size, Point {}

/** Text as it is drawn. */
export function fitted(text: string): string {
  return shortened(visible(text), LONGEST);
}

/** Space for a block of notes. */
export function sizeOfNotes(lines: readonly string[]): Size {
  const columns = Math.max(0, ...lines.map((line) => columnsOf(fitted(line))));
  return { width: Math.ceil(columns * NOTE.column), height: lines.length * NOTE.line };
}

/** Space for the name of a box, with its notes below. */
export function sizeOfText({ label, notes }: Pick<Box, 'label' | 'notes'>): Size {
  const below = sizeOfNotes(notes);
  const width = Math.max(Math.ceil(columnsOf(fitted(label)) * NAME.column), below.width);
  return { width, height: NAME.line + below.height };
}

/** Space for a box with nothing in it. */
export function sizeOfLeaf(box: Box): Size {
  if (box.shape === 'initial') return { width: 14, height: 14 };
  const { width, height } = sizeOfText(box);
  if (box.shape === 'history') return { width: height + 14, height: height + 14 };
  return { width: Math.max(48, width + 28), height: height + 16 };
}

/** What stands at the top of a box, above its other children. */
export function headOf(id: string, nesting: Nesting): readonly Box[] {
  return nesting.childrenOf(id).filter(({ shape }) => shape === 'retry');
}
