import type { Task } from '../../../src/atoms/task.js';
import { task } from '../../../src/atoms/function-task.js';
import { times } from '../../../src/atoms/retries.js';
import { loadUntyped } from '../../../src/engines/load.js';
import type { Engine } from '../../../src/engines/engine.js';
import type { LoadOptions } from '../../../src/engines/load.js';
import type { Clock } from '../../../src/environment.js';
import type { Flow } from '../../../src/flows/flow.js';
import { graph } from '../../../src/flows/graph.js';
import { linear } from '../../../src/flows/linear.js';
import { unordered } from '../../../src/flows/unordered.js';
import { behavioursOf } from '../../conformance/behaviours.js';
import { buildFlow } from '../../conformance/build-flow.js';
import { CallCounts } from '../../conformance/call-counts.js';
import type { ConformanceCase } from '../../conformance/case.js';

/** Something that happens when a test says so. */
export class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => (this.open = resolve));
  }
}

export interface Album {
  readonly flow: Flow;
  /** By name of a task: its method waits for it. */
  readonly gates: ReadonlyMap<string, Gate>;
}

/** How long tasks take where time is given, in milliseconds. */
const DURATIONS: Readonly<Record<string, number>> = {
  ...{ scan: 900, resize: 2600, sort: 400, faces: 4200, send: 1900, verify: 700, announce: 300, mail: 1200 },
};

const TASKS = ['scan', 'resize', 'sort', 'faces', 'send', 'verify', 'announce', 'mail'];

/**
 * Photos are scanned, resized, sorted and uploaded. The upload is tried twice.
 *
 * @param options.held - Tasks that wait for their gates.
 * @param options.failing - Tasks that fail, and how often.
 * @param options.clock - Of which tasks take their time; without it they take none.
 */
export function album({
  held = [],
  failing = {},
  clock = null,
}: {
  readonly held?: readonly string[];
  readonly failing?: Readonly<Record<string, number>>;
  readonly clock?: Clock | null;
} = {}): Album {
  const gates = new Map(TASKS.map((name) => [name, new Gate()]));
  for (const [name, gate] of gates) if (!held.includes(name)) gate.open();
  const left = new Map(Object.entries(failing));
  const work =
    <Result>(name: string, result: Result) =>
    async () => {
      await gates.get(name)?.opened;
      if (clock !== null) await new Promise<void>((resolve) => void clock.setTimer(DURATIONS[name] ?? 0, resolve));
      const failures = left.get(name) ?? 0;
      left.set(name, failures - 1);
      if (failures > 0) throw new Error(`${name} could not reach photos.example`);
      return result;
    };
  const scan = task({
    name: 'scan',
    requires: ['directory'],
    provides: ['photos', 'dates'],
    execute: work('scan', [
      ['beach.jpg', 'forest.jpg', 'harbour.jpg'],
      ['2026-07-01', '2026-07-03', '2026-07-04'],
    ] as const),
  });
  const resize = task({
    name: 'resize',
    requires: ['photos'],
    provides: 'thumbnails',
    execute: work('resize', ['beach@200.jpg', 'forest@200.jpg', 'harbour@200.jpg']),
  });
  const faces = task({ name: 'find faces', requires: ['photos'], provides: 'people', execute: work('faces', 4) });
  const sort = task({
    name: 'sort',
    requires: ['photos', 'dates'],
    provides: 'order',
    execute: work('sort', [0, 2, 1]),
  });
  const upload = linear('upload', { retry: times({ name: 'try again', attempts: 2 }) }).add(
    task({
      name: 'send',
      requires: ['thumbnails', 'order'],
      provides: 'address',
      execute: work('send', 'https://photos.example/42'),
      revert: () => 'removed',
    }),
    task({ name: 'verify', requires: ['address'], provides: 'checked', execute: work('verify', true) }),
  );
  const tell = unordered('tell').add(
    task({ name: 'announce', requires: ['address', 'people'], execute: work('announce', null) }),
    task({ name: 'mail', requires: ['address'], execute: work('mail', null) }),
  );
  const flow = graph('summer album')
    .addAll([scan, resize, faces, sort, upload, tell])
    .link(upload, tell, { decider: () => true, depth: 'FLOW' });
  return { flow, gates };
}

type Options = LoadOptions & { readonly store?: Readonly<Record<string, unknown>> };

export function engineFor(flow: Flow, { store, ...options }: Options = {}): Promise<Engine> {
  return loadUntyped(flow, { engine: 'parallel', ...options }, store ?? { directory: '/photos/summer' });
}

/** Layers of tasks in flows, with links across: `size` tasks, each given what two others provide. */
export function manyTasks(size: number): Flow {
  const flow = graph('thousand');
  const perFlow = 25;
  for (let first = 0; first < size; first += perFlow) {
    const part = graph(`part ${first / perFlow}`);
    for (let at = first; at < Math.min(size, first + perFlow); at++) {
      const before = [at - 3, at - 7].filter((each) => each >= first);
      const across = at === first && first >= 4 * perFlow ? [first - 4 * perFlow] : [];
      part.add(
        task({
          name: `task ${at}`,
          requires: [...before, ...across].map((each) => `value ${each}`),
          provides: `value ${at}`,
          execute: () => at,
        }),
      );
    }
    flow.add(part);
  }
  return flow;
}

/** The flow of a conformance case, whose tasks do what the case says. */
export function flowOfCase({ flow }: ConformanceCase): Flow | Task {
  const stage = { isDead: false, trace: () => undefined, suspend: () => undefined, pause: () => Promise.resolve() };
  return buildFlow(flow, behavioursOf(flow, new CallCounts(), stage)).root;
}
