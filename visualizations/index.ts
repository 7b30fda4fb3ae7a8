export { DIAGRAM_FORMATS, drawFlow, drawMachine } from './draw.js';
export type { DiagramFormat, DrawFlowOptions, DrawMachineOptions } from './draw.js';
export type { DrawnFlow, FlowPictureOptions, StoredStates } from './flow-picture.js';
export { flowToDot, flowToMermaid, flowToScxml, flowToStately, flowToSvg } from './flows.js';
export type { MachinePictureOptions } from './machine-picture.js';
export { machineToDot, machineToMermaid, machineToSvg } from './machines.js';
export { machineToScxml } from './scxml.js';
export { machineToStately } from './stately.js';
export { connectStately, connectStatelyInBrowser } from './stately-connection.js';
export type {
  StatelyBrowserOptions,
  StatelyConnection,
  StatelyOptions,
  StatelySocketOptions,
  WindowLike,
} from './stately-connection.js';
export type { SocketClass, SocketLike } from './stately-socket.js';
export { machineToMarkdown } from './tables.js';
export { inspector, inspectorPage, storedInspector, storedInspectorPage } from './inspector/inspector.js';
export type { InspectorOptions, StoredRun } from './inspector/inspector.js';
export type { Inspector, InspectorServerOptions } from './inspector/server.js';
export type { StoredRunOptions } from './inspector/stored-source.js';
export type { ValueWordsOptions } from './inspector/value-words.js';
