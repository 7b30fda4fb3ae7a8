import type { AnyStateMachine } from 'xstate';
import { pictureToDot } from './dot.js';
import { type MachinePictureOptions, pictureOfMachine } from './machine-picture.js';
import { pictureToStateDiagram } from './mermaid.js';
import { pictureToSvg } from './svg.js';

/**
 * A machine as a Mermaid `stateDiagram-v2`.
 *
 * Here as in all pictures of machines: ways between the same two states share an arrow, each with its event and
 * `[guard]`, and events that a state ignores are left out. The same machine always gives the same text.
 *
 * @param options.state - The state that it is in, such as `engine.actorOf('pay').value`: it has a colour.
 * @throws {RangeError} for a state that the machine does not have.
 */
export function machineToMermaid(machine: AnyStateMachine, options: MachinePictureOptions = {}): string {
  return pictureToStateDiagram(pictureOfMachine(machine, options));
}

/** A machine in the language of Graphviz. See {@link machineToMermaid}. */
export function machineToDot(machine: AnyStateMachine, options: MachinePictureOptions = {}): string {
  return pictureToDot(pictureOfMachine(machine, options));
}

/** A machine as an SVG that needs nothing else, and is light or dark as the reader prefers. See {@link machineToMermaid}. */
export function machineToSvg(machine: AnyStateMachine, options: MachinePictureOptions = {}): string {
  return pictureToSvg(pictureOfMachine(machine, options));
}
