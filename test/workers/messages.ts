import type { RequestBody } from '../../src/workers/protocol/messages.js';

/** A request that lacks nothing. */
export const REQUEST: RequestBody = {
  version: 2,
  requestId: 'r',
  submission: 's',
  dispatch: 1,
  takesUp: false,
  runId: 'run',
  atomId: 'id',
  atom: 'a',
  action: 'execute',
  attempt: 1,
  task: { name: 'a', version: '1.0', parameters: '[[]]' },
  arguments: { values: '[{}]' },
  idempotencyKey: 'k',
  events: [],
  maxDeliveries: 3,
};
