const DIAGRAM = /(<!-- diagram: (?<name>[\w-]+) -->\n+)```mermaid\n[\s\S]*?```\n/g;

/**
 * A page of Markdown in which each block after `<!-- diagram: NAME -->` is the drawn diagram of that name.
 *
 * @throws {RangeError} for a name of which nothing was drawn.
 */
export function withDiagrams(page: string, drawn: ReadonlyMap<string, string>): string {
  return page.replace(DIAGRAM, (_, mark: string, name: string) => {
    const text = drawn.get(`${name}.mmd`);
    if (text === undefined) throw new RangeError(`The page shows the diagram ${name}, of which nothing is drawn`);
    return `${mark}\`\`\`mermaid\n${text}\`\`\`\n`;
  });
}
