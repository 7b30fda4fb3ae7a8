import type { AnyStateMachine } from 'xstate';
import { pictureToDot } from './dot.js';
import { pictureOfMachine } from './machine-picture.js';
import { pictureToStateDiagram } from './mermaid.js';
import { pictureToSvg } from './svg.js';

/**
 * A machine as a Mermaid `stateDiagram-v2`.
 *
 * Here as in all pictures of machines: ways between the same two states share an arrow, each with its event and
 * `[guard]`, and events that a state ignores are left out. The same machine always gives the same text.
 */
export function machineToMermaid(machine: AnyStateMachine): string {
  return pictureToStateDiagram(pictureOfMachine(machine));
}

/** A machine in the language of Graphviz. */
export function machineToDot(machine: AnyStateMachine): string {
  return pictureToDot(pictureOfMachine(machine));
}

/** A machine as an SVG that needs nothing else, and is light or dark as the reader prefers. */
export function machineToSvg(machine: AnyStateMachine): string {
  return pictureToSvg(pictureOfMachine(machine));
}
