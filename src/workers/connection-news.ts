type ConnectionListener = (isConnected: boolean, cause: unknown) => void;

/** Tells of each change of a connection, once. What a listener throws goes nowhere. */
export class ConnectionNews {
  readonly #listeners = new Set<ConnectionListener>();
  #isConnected: boolean;

  constructor(isConnected: boolean) {
    this.#isConnected = isConnected;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  add(listener: ConnectionListener): () => void {
    const own: ConnectionListener = (isConnected, cause) => listener(isConnected, cause);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  tell(isConnected: boolean, cause?: unknown): void {
    if (this.#isConnected === isConnected) return;
    this.#isConnected = isConnected;
    for (const listener of [...this.#listeners]) {
      try {
        listener(isConnected, cause);
      } catch {
        // It is the listener's own trouble.
      }
    }
  }
}
