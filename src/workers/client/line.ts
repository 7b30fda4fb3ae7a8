import type { Clock } from '../../environment.js';
import type { Link } from '../transport.js';

/** Whether the broker can be reached, and how often it could not. */
export class Line {
  /** How often the connection was lost. What was sent before may be lost with the broker that had it. */
  outages = 0;
  isUp = true;
  #upSince = -Infinity;

  constructor(private readonly clock: Clock) {}

  watch(link: Link): void {
    link.onConnection((isConnected) => {
      if (this.isUp && !isConnected) this.outages += 1;
      if (!this.isUp && isConnected) this.#upSince = this.clock.now();
      this.isUp = isConnected;
    });
  }

  isUpFor(ms: number): boolean {
    return this.isUp && this.clock.now() - this.#upSince >= ms;
  }
}
