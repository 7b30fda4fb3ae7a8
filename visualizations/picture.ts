/**
 * What a box stands for, and so how it is drawn.
 *
 * `initial` is the dot that leads to where a state begins; `anywhere` stands for every state inside of its parent.
 */
export type Shape =
  'task' | 'retry' | 'flow' | 'state' | 'parallel' | 'final' | 'history' | 'initial' | 'anywhere' | 'room';

export interface Box {
  /** Unique in its picture; a letter, then letters, digits and `_`. */
  readonly id: string;
  /** The box around it; null at the outside. */
  readonly parent: string | null;
  readonly shape: Shape;
  readonly label: string;
  /** What is said below the label, one line each. */
  readonly notes: readonly string[];
  /** The state it is in, for its colour. */
  readonly state: string | null;
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** What is said at the arrow, one line each. */
  readonly lines: readonly string[];
  readonly dashed: boolean;
}

/** Boxes and arrows: what all ways of drawing start from. */
export interface Picture {
  readonly title: string;
  /** Parents before their children, and all that is in a box directly after it. */
  readonly boxes: readonly Box[];
  /** None leads from a box to one inside of it, or the other way round. */
  readonly arrows: readonly Arrow[];
}

/** Who is in whom. */
export class Nesting {
  readonly #boxes = new Map<string, Box>();
  readonly #children = new Map<string | null, Box[]>();

  constructor({ boxes }: Picture) {
    for (const box of boxes) {
      this.#boxes.set(box.id, box);
      const siblings = this.#children.get(box.parent);
      if (siblings === undefined) this.#children.set(box.parent, [box]);
      else siblings.push(box);
    }
  }

  get(id: string): Box {
    const box = this.#boxes.get(id);
    if (box === undefined) throw new RangeError(`There is no box ${id} in the picture`);
    return box;
  }

  childrenOf(id: string | null): readonly Box[] {
    return this.#children.get(id) ?? [];
  }

  /** The box and all around it, the outermost first. */
  pathTo(id: string): readonly string[] {
    const path: string[] = [];
    for (let at: string | null = id; at !== null; at = this.get(at).parent) path.push(at);
    return path.reverse();
  }
}

/** What is written for a picture that is drawn as nested text. */
export interface NestedText {
  readonly open: (box: Box) => readonly string[];
  readonly leaf: (box: Box) => readonly string[];
  readonly close: (box: Box) => readonly string[];
}

/** Writes boxes inside of each other, two spaces for each. Without recursion: flows nest deeper than calls. */
export function nestedLines(picture: Picture, { open, leaf, close }: NestedText): string[] {
  const nesting = new Nesting(picture);
  const lines: string[] = [];
  const around: Box[] = [];
  const add = (added: readonly string[]) => {
    const indent = '  '.repeat(around.length + 1);
    for (const line of added) lines.push(indent + line);
  };
  const closeUpTo = (id: string | null) => {
    for (let last = around.at(-1); last !== undefined && last.id !== id; last = around.at(-1)) {
      around.pop();
      add(close(last));
    }
  };
  for (const box of picture.boxes) {
    closeUpTo(box.parent);
    if (nesting.childrenOf(box.id).length === 0) add(leaf(box));
    else {
      add(open(box));
      around.push(box);
    }
  }
  closeUpTo(null);
  return lines;
}
