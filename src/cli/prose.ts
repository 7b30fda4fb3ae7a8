/** Paragraphs as help wants them: lines that were broken in the source are one, and help breaks them where it ends. */
export function prose(text: string): string {
  return text.replaceAll(/(?<!\n)\n(?!\n)/g, ' ');
}
