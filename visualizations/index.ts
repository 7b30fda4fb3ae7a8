export type { FlowPictureOptions } from './flow-picture.js';
export { flowToDot, flowToMermaid, flowToSvg } from './flows.js';
export { machineToDot, machineToMermaid, machineToSvg } from './machines.js';
export { machineToStately } from './stately.js';
export { machineToMarkdown } from './tables.js';
export { inspector, inspectorPage } from './inspector/inspector.js';
export type { InspectorOptions } from './inspector/inspector.js';
export type { Inspector, InspectorServerOptions } from './inspector/server.js';
export type { ValueWordsOptions } from './inspector/value-words.js';
