/** Text in columns: the first as many as told are flush left, the others flush right. */
export function table(header: readonly string[], lines: readonly (readonly string[])[], leftColumns: number): string {
  const all = [header, ...lines];
  const widths = header.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  return all
    .map((cells) =>
      widths
        .map((width, column) => {
          const cell = cells[column] ?? '';
          return column < leftColumns ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
