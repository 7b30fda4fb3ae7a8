import type { AnyStateMachine } from 'xstate';
import * as machines from '../../machines/index.js';

/** Every machine that there is. */
export const MACHINES: readonly AnyStateMachine[] = Object.values(machines);
