import { syncFolder } from './files.js';

/** Makes durable which files folders have. All that wait while a folder is being written are served by one more time. */
export class FolderSyncs {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  sync(folder: string): Promise<void> {
    const next = this.#next.get(folder) ?? this.#after(folder);
    this.#next.set(folder, next);
    return next;
  }

  async #after(folder: string): Promise<void> {
    await Promise.allSettled([this.#running.get(folder)]);
    this.#next.delete(folder);
    const running = syncFolder(folder);
    this.#running.set(folder, running);
    try {
      await running;
    } finally {
      if (this.#running.get(folder) === running) this.#running.delete(folder);
    }
  }
}
