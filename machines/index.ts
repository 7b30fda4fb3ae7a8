export { engineMachine } from './engine.js';
export type { EngineContext, EngineEvent, EngineStage } from './engine.js';
export { flowMachine } from './flow.js';
export type { FlowContext, FlowEvent, FlowState } from './flow.js';
export { retryMachine } from './retry.js';
export type { RetryEvent, RetryState } from './retry.js';
export { taskMachine } from './task.js';
export type { AtomContext, AtomEvent, Intention, TaskState } from './task.js';
