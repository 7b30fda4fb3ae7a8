import type { Task } from '../src/atoms/task.js';
import type { Compilation } from '../src/compiler/compilation.js';
import type { Flow } from '../src/flows/flow.js';
import { pictureToDot } from './dot.js';
import { type FlowPictureOptions, pictureOfFlow } from './flow-picture.js';
import { pictureToFlowchart } from './mermaid.js';
import { pictureToSvg } from './svg.js';

/**
 * A flow as a Mermaid `flowchart`.
 *
 * Here as in all pictures of flows: a flow is a box around its children, with its retry marked by ↻; at a link stand
 * the symbols that go along it, and one with a decider is dashed and tells how far a refusal reaches. Names may be any
 * text; ids are `n<index>`, as in `Compilation.graph`. The same flow always gives the same text.
 *
 * @param options.states - Says the state of each atom, by name, for instance `(name) => engine.storage.getAtomState(name)`.
 */
export function flowToMermaid(flow: Flow | Task | Compilation, options: FlowPictureOptions = {}): string {
  return pictureToFlowchart(pictureOfFlow(flow, options));
}

/** A flow in the language of Graphviz. See {@link flowToMermaid}. */
export function flowToDot(flow: Flow | Task | Compilation, options: FlowPictureOptions = {}): string {
  return pictureToDot(pictureOfFlow(flow, options));
}

/**
 * A flow as an SVG that needs nothing else, and is light or dark as the reader prefers. See {@link flowToMermaid}.
 *
 * For pictures: links between thousands of children of one flow take minutes to lay out.
 */
export function flowToSvg(flow: Flow | Task | Compilation, options: FlowPictureOptions = {}): string {
  return pictureToSvg(pictureOfFlow(flow, options));
}
