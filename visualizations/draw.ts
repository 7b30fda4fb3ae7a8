import type { AnyStateMachine } from 'xstate';
import type { DrawnFlow, FlowPictureOptions } from './flow-picture.js';
import { flowToDot, flowToMermaid, flowToScxml, flowToStately, flowToSvg } from './flows.js';
import type { MachinePictureOptions } from './machine-picture.js';
import { machineToDot, machineToMermaid, machineToSvg } from './machines.js';
import { machineToScxml } from './scxml.js';
import { machineToStately } from './stately.js';

/** What flows and machines can be drawn as. */
export const DIAGRAM_FORMATS = ['mermaid', 'dot', 'svg', 'scxml', 'stately'] as const;

export type DiagramFormat = (typeof DIAGRAM_FORMATS)[number];

export interface DrawFlowOptions extends FlowPictureOptions {
  readonly format: DiagramFormat;
}

export interface DrawMachineOptions extends MachinePictureOptions {
  readonly format: DiagramFormat;
}

type Draw<Drawn, Options> = (drawn: Drawn, options?: Options) => string;

const FLOWS: Readonly<Record<DiagramFormat, Draw<DrawnFlow, FlowPictureOptions>>> = {
  mermaid: flowToMermaid,
  dot: flowToDot,
  svg: flowToSvg,
  scxml: flowToScxml,
  stately: flowToStately,
};

const MACHINES: Readonly<Record<DiagramFormat, Draw<AnyStateMachine, MachinePictureOptions>>> = {
  mermaid: machineToMermaid,
  dot: machineToDot,
  svg: machineToSvg,
  scxml: machineToScxml,
  stately: machineToStately,
};

/**
 * A flow in one of the formats: Mermaid, DOT and SVG show its parts and links, SCXML and Stately a machine that goes the
 * ways that the flow can go.
 *
 * @param flow - A flow, a task, a compiled flow, or an engine, which is drawn with the states of its run.
 * @param options.states - States of another run: what says an atom's by its name, or a stored run (`FlowDetail`).
 * @throws {RangeError} for another format.
 * @see `flowToMermaid`, `flowToStately`
 */
export function drawFlow(flow: DrawnFlow, { format, ...options }: DrawFlowOptions): string {
  return drawing(FLOWS, format)(flow, options);
}

/**
 * A machine in one of the formats.
 *
 * @param options.state - The state that it is in: it has a colour in Mermaid, DOT and SVG. The others describe the chart
 * alone.
 * @throws {RangeError} for another format, and for a state that the machine does not have.
 * @throws {TypeError} for `stately`, when a guard, an action or an actor is a function without a name.
 * @see `machineToMermaid`, `machineToStately`
 */
export function drawMachine(machine: AnyStateMachine, { format, ...options }: DrawMachineOptions): string {
  return drawing(MACHINES, format)(machine, options);
}

function drawing<Drawn>(drawings: Readonly<Record<DiagramFormat, Drawn>>, format: DiagramFormat): Drawn {
  if (Object.hasOwn(drawings, format)) return drawings[format];
  throw new RangeError(`format takes one of ${DIAGRAM_FORMATS.join(', ')}, got ${JSON.stringify(format)}`);
}
