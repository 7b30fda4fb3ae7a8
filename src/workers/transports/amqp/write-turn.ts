import type { Clock } from '../../../environment.js';
import type { AmqpConnection } from './driver.js';

/** Sends what is written within a moment in one call to the system, where the driver shows what it writes to. */
export class WriteTurn {
  readonly #connection: AmqpConnection;
  readonly #clock: Clock;
  #isOpen = false;

  constructor(connection: AmqpConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** @param isLong - Whether more is to be expected from what waits in the event loop. */
  begin(isLong: boolean): void {
    const socket = this.#connection._socket;
    if (this.#isOpen || typeof socket?.cork !== 'function') return;
    this.#isOpen = true;
    socket.cork();
    const end = () => {
      this.#isOpen = false;
      socket.uncork();
    };
    if (isLong) void this.#clock.yield().then(end);
    else process.nextTick(end);
  }
}
