export type { FlowPictureOptions } from './flow-picture.js';
export { flowToDot, flowToMermaid, flowToSvg } from './flows.js';
export { machineToDot, machineToMermaid, machineToSvg } from './machines.js';
export { machineToStately } from './stately.js';
export { machineToMarkdown } from './tables.js';
