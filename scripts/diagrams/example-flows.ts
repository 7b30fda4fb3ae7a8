import { times } from '../../src/atoms/retries.js';
import { task } from '../../src/atoms/function-task.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';

/** Drawn, never run. */
const nothing = () => null;

/** A trip: what is reserved and paid is given back when a later step fails, and all is tried three times. */
export function tripFlow(): Flow {
  return linear('trip', { retry: times({ attempts: 3 }) }).add(
    task({ name: 'reserve', requires: ['flight'], provides: 'reservation', execute: nothing }),
    task({ name: 'pay', requires: ['reservation'], provides: 'receipt', execute: nothing }),
    unordered('notify').add(
      task({ name: 'mail', requires: ['receipt'], execute: nothing }),
      task({ name: 'text', requires: ['reservation'], execute: nothing }),
    ),
  );
}

/** An album: links that follow from data, a decider, and a flow that is tried again by itself. */
export function albumFlow(): Flow {
  const scan = task({ name: 'scan', requires: ['directory'], provides: ['photos', 'dates'], execute: () => [[], []] });
  const resize = task({ name: 'resize', requires: ['photos'], provides: 'thumbnails', execute: nothing });
  const sort = task({ name: 'sort', requires: ['photos', 'dates'], provides: 'order', execute: nothing });
  const upload = linear('upload', { retry: times({ attempts: 5 }) }).add(
    task({ name: 'send', requires: ['thumbnails', 'order'], provides: 'address', execute: nothing }),
    task({ name: 'verify', requires: ['address'], execute: nothing }),
  );
  const announce = task({ name: 'announce', requires: ['address'], execute: nothing });
  return graph('album')
    .addAll([scan, resize, sort, upload, announce])
    .link(upload, announce, { decider: () => true, depth: 'FLOW' });
}

/** The album in the middle of a run. */
export function albumStates(atom: string): string {
  const states = new Map([
    ['scan', 'SUCCESS'],
    ['resize', 'SUCCESS'],
    ['sort', 'SUCCESS'],
    ['upload_retry', 'RETRYING'],
    ['send', 'REVERTED'],
    ['verify', 'FAILURE'],
  ]);
  return states.get(atom) ?? 'PENDING';
}
