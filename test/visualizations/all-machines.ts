import type { AnyStateMachine } from 'xstate';
import * as machines from '../../machines/index.js';

/** Every machine that there is. */
export const MACHINES: readonly AnyStateMachine[] = Object.values(machines);

/** Pairs of states between which there is a way, `A --> B`, by the machine itself. */
export function waysBetween(machine: AnyStateMachine): string[] {
  const pairs = Object.values(machine.states).flatMap((state) =>
    [...state.transitions.values()].flat().flatMap(({ target = [] }) => {
      return target.map(({ key }) => `${state.key} --> ${key}`);
    }),
  );
  return [...new Set(pairs)].sort();
}
