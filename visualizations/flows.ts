import { pictureToDot } from './dot.js';
import { type DrawnFlow, type FlowPictureOptions, pictureOfFlow } from './flow-picture.js';
import { machineOfFlow } from './flow-statechart.js';
import { pictureToFlowchart } from './mermaid.js';
import { machineToScxml } from './scxml.js';
import { machineToStately } from './stately.js';
import { pictureToSvg } from './svg.js';

/**
 * A flow as a Mermaid `flowchart`.
 *
 * Here as in all pictures of flows: a flow is a box around its children, with its retry marked by ↻; at a link stand
 * the symbols that go along it, and one with a decider is dashed and tells how far a refusal reaches. Names may be any
 * text; ids are `n<index>`, as in `Compilation.graph`. The same flow always gives the same text.
 *
 * @param flow - A flow, a task, a compiled flow, or an engine, which is drawn with the states of its run.
 * @param options.states - States of another run: what says an atom's by its name, or a stored run (`FlowDetail`).
 */
export function flowToMermaid(flow: DrawnFlow, options: FlowPictureOptions = {}): string {
  return pictureToFlowchart(pictureOfFlow(flow, options));
}

/** A flow in the language of Graphviz. See {@link flowToMermaid}. */
export function flowToDot(flow: DrawnFlow, options: FlowPictureOptions = {}): string {
  return pictureToDot(pictureOfFlow(flow, options));
}

/**
 * A flow as an SVG that needs nothing else, and is light or dark as the reader prefers. See {@link flowToMermaid}.
 *
 * For pictures: links between thousands of children of one flow take minutes to lay out.
 */
export function flowToSvg(flow: DrawnFlow, options: FlowPictureOptions = {}): string {
  return pictureToSvg(pictureOfFlow(flow, options));
}

/**
 * A flow as a module with the configuration of a machine, for Stately Studio and its editor extension.
 *
 * The machine goes the ways that the flow can go, when it is told what becomes of the atoms. A linear flow is a sequence
 * of states, an unordered one has them side by side, and in a graph flow each waits in PENDING until all that it is
 * linked from are done. An atom is RUNNING until the event `<name> succeeded` or `<name> failed`; `<retry> retries`
 * begins a flow anew, and `<name> ignored` is what a decider may say. Nothing is undone there. States that are known are
 * said as descriptions. See {@link flowToMermaid}.
 */
export function flowToStately(flow: DrawnFlow, options: FlowPictureOptions = {}): string {
  return machineToStately(machineOfFlow(flow, options));
}

/** The machine of {@link flowToStately} as SCXML. */
export function flowToScxml(flow: DrawnFlow, options: FlowPictureOptions = {}): string {
  return machineToScxml(machineOfFlow(flow, options));
}
