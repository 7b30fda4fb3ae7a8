import { task, taskFactory } from 'flowstate';

/** Does nothing but come and go. */
export const noop = task({ name: 'noop', execute: () => 1 });

/** Keeps a processor busy. */
export function spin(rounds: number): number {
  let value = 1;
  for (let round = 0; round < rounds; round++) value = (value * 1_103_515_245 + 12_345) % 2_147_483_648;
  return value;
}

export const spins = taskFactory('spins', (name: string, rounds: number) =>
  task({ name, provides: name, execute: () => spin(rounds) }),
);
