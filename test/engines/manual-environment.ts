import { virtualEnvironment } from '../../src/testing/virtual-environment.js';
import type { VirtualEnvironment } from '../../src/testing/virtual-environment.js';

export { settled } from '../../src/testing/virtual-environment.js';

/** Time that stands still, ids that count up, and the same random number each time. */
export function manualEnvironment(): VirtualEnvironment {
  return { ...virtualEnvironment(), random: () => 0.5 };
}

/** A promise that is settled from outside. */
export class Gate<Value = void> {
  readonly promise: Promise<Value>;
  open!: (value: Value) => void;
  fail!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise<Value>((resolve, reject) => {
      this.open = resolve;
      this.fail = reject;
    });
  }
}
