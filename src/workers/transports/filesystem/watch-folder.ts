import { watch } from 'node:fs';

/**
 * Tells of changes in a folder as they happen, where the system can. Whoever needs to hear of all has to look from time
 * to time too.
 *
 * @returns what ends it.
 */
export function watchFolder(folder: string, onChange: () => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, onChange);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}
