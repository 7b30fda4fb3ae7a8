import { appended } from './appended.js';
import type { Child } from './child-graph.js';

const NOBODY: readonly Child[] = [];

/** Which children have to do with a symbol, in the order in which they were added. */
export class SymbolIndex {
  private readonly children = new Map<string, Child[]>();

  of(symbol: string): readonly Child[] {
    return this.children.get(symbol) ?? NOBODY;
  }

  add(symbol: string, child: Child): void {
    const present = this.children.get(symbol);
    if (present === undefined) {
      this.children.set(symbol, [child]);
      return;
    }
    const last = present.at(-1);
    if (last === undefined || last.position < child.position) {
      this.children.set(symbol, appended(present, child));
    } else {
      // Only a flow that was changed after it was added goes anywhere but to the end.
      const after = present.findIndex(({ position }) => position > child.position);
      present.splice(after, 0, child);
    }
  }

  remove(symbol: string, child: Child): void {
    const present = this.children.get(symbol);
    const at = present?.lastIndexOf(child) ?? -1;
    if (at >= 0) present?.splice(at, 1);
  }
}
