import type { Files } from '../../src/persistence/backends/path/files.js';

/**
 * Files of which the calls are counted.
 *
 * @param meet - Called before each call; when it throws, the call fails. Of what is to be written half is, before.
 */
export function watchedFiles(files: Files, meet: (call: number, name: keyof Files) => void): Files {
  let calls = 0;
  const next = (name: keyof Files) => meet((calls += 1), name);
  const meetOr = async (name: keyof Files, writeHalf: () => Promise<void>) => {
    try {
      next(name);
    } catch (error) {
      await writeHalf();
      throw error;
    }
  };
  const half = (text: string) => text.slice(0, text.length / 2);
  return {
    read: async (path) => (next('read'), files.read(path)),
    readParts: async (path, head, from) => (next('readParts'), files.readParts(path, head, from)),
    list: async (folder) => (next('list'), files.list(folder)),
    makeFolder: async (path) => (next('makeFolder'), files.makeFolder(path)),
    rename: async (from, to) => (next('rename'), files.rename(from, to)),
    link: async (from, to) => (next('link'), files.link(from, to)),
    remove: async (path) => (next('remove'), files.remove(path)),
    syncFolder: async (path) => (next('syncFolder'), files.syncFolder(path)),
    write: async (path, text, durable) => {
      await meetOr('write', () => files.write(path, half(text), false));
      await files.write(path, text, durable);
    },
    writeFrom: async (path, position, text, durable) => {
      await meetOr('writeFrom', () => files.writeFrom(path, position, half(text), false));
      await files.writeFrom(path, position, text, durable);
    },
  };
}
