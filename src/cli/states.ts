import { flowMachine } from '../../machines/index.js';
import type { FlowState } from '../../machines/index.js';

/** The states of a flow, as options take them. */
export const FLOW_STATES = Object.keys(flowMachine.states) as FlowState[];
