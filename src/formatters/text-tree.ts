/** Something with a line of its own and others below it. */
export interface TextNode {
  readonly text: string;
  readonly children: readonly TextNode[];
}

/** A tree as lines. The root stands without a branch. */
export function treeLines({ text, children }: TextNode): string[] {
  return [text, ...branchLines(children)];
}

/** Several trees side by side, each on a branch. */
export function branchLines(nodes: readonly TextNode[]): string[] {
  return nodes.flatMap((node, at) => {
    const isLast = at === nodes.length - 1;
    const [first = '', ...below] = treeLines(node);
    return [`${isLast ? '└─' : '├─'} ${first}`, ...below.map((line) => `${isLast ? '   ' : '│  '}${line}`)];
  });
}
