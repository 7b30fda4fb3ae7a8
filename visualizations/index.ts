export { DIAGRAM_FORMATS, drawFlow, drawMachine } from './draw.js';
export type { DiagramFormat, DrawFlowOptions, DrawMachineOptions } from './draw.js';
export type { DrawnFlow, FlowPictureOptions, StoredStates } from './flow-picture.js';
export { flowToDot, flowToMermaid, flowToScxml, flowToStately, flowToSvg } from './flows.js';
export type { MachinePictureOptions } from './machine-picture.js';
export { machineToDot, machineToMermaid, machineToSvg } from './machines.js';
export { machineToScxml } from './scxml.js';
export { machineToStately } from './stately.js';
export { machineToMarkdown } from './tables.js';
