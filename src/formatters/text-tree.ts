/** Something with a line of its own and others below it. */
export interface TextNode {
  readonly text: string;
  readonly children: readonly TextNode[];
}

/** A tree as lines. The root stands without a branch. */
export function treeLines({ text, children }: TextNode): string[] {
  return [text, ...branchLines(children)];
}

/** Several trees side by side, each on a branch. Without recursion: flows nest deeper than calls. */
export function branchLines(nodes: readonly TextNode[]): string[] {
  const lines: string[] = [];
  const waiting = onBranches(nodes, '');
  for (let branch = waiting.pop(); branch !== undefined; branch = waiting.pop()) {
    lines.push(`${branch.before}${branch.node.text}`);
    waiting.push(...onBranches(branch.node.children, branch.below));
  }
  return lines;
}

interface Branch {
  readonly node: TextNode;
  /** What stands before its own line, and before those below it. */
  readonly before: string;
  readonly below: string;
}

/** The last one first. */
function onBranches(nodes: readonly TextNode[], indent: string): Branch[] {
  const branches = nodes.map((node, at): Branch => {
    const isLast = at === nodes.length - 1;
    return { node, before: `${indent}${isLast ? '└─ ' : '├─ '}`, below: `${indent}${isLast ? '   ' : '│  '}` };
  });
  return branches.reverse();
}
