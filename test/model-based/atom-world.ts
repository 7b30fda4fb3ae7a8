import { expect } from 'vitest';
import type { LoadOptions } from '../../src/engines/load.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import type { Coverage } from './coverage.js';
import type { Causes } from './expectations.js';
import { cause } from './expectations.js';
import type { Walker } from './paths.js';
import type { Call, Script } from './script.js';
import { World } from './world.js';

export type AtomKind = 'task' | 'retry';

/**
 * `subject` is what a path is about: a task with one behind it, or a retry with one in its flow.
 *
 * ```
 * p ─[first]──▶ b ─┐
 *                  ├─▶ subject ─▶ follower       sibling
 * q ─[second]─▶ c ─┘
 * ```
 */
function flowAround(kind: AtomKind, script: Script): Flow {
  const [p, q, b, c] = [script.task('p'), script.task('q'), script.task('b'), script.task('c')];
  const follower = script.task('follower');
  const subject =
    kind === 'task'
      ? linear('around').add(script.task('subject'), follower)
      : linear('around', { retry: script.retry('subject') }).add(follower);
  return graph('f')
    .add(p, q, b, c, subject, script.task('sibling'))
    .link(p, b, { decider: script.decider('first') })
    .link(q, c, { decider: script.decider('second') })
    .link(b, subject)
    .link(c, subject);
}

export function atomWorld(kind: AtomKind, options: LoadOptions, coverage: Coverage): World {
  return new World({
    subject: { actor: `${kind}:subject`, stored: ({ storage }) => storage.getAtomState('subject') },
    flow: (script) => flowAround(kind, script),
    held: ['q.execute', 'sibling.execute', 'subject.execute', 'subject.revert'],
    options: { ...options, engine: 'parallel' },
    coverage,
  });
}

/** Begins the first run, with both sides of the flow ready to go on. */
function startWith(world: World, { refusing }: { readonly refusing: readonly string[] }): void {
  for (const decider of refusing) world.script.refusing.add(decider);
  world.start();
}

/** The process ends, and the next run takes up what it finds. */
async function takeUp(world: World): Promise<void> {
  await world.crash();
  world.start();
}

function reset(world: World): void {
  world.perform(() => world.engine.reset());
}

async function endIn(world: World, state: string): Promise<void> {
  await world.finish();
  expect(world.engine.storage.getFlowState()).toBe(state);
}

async function resetAfter(world: World, state: string): Promise<void> {
  await endIn(world, state);
  reset(world);
}

/** The process ends; the next run is asked to suspend before it has begun with anything, and its caller fails. */
async function resetUnderWay(world: World): Promise<void> {
  await takeUp(world);
  await world.until(() => world.stage === 'RESUMING');
  world.engine.suspend();
  world.interrupt(new Error('the caller fails'));
  await resetAfter(world, 'FAILURE');
}

/** What makes a real engine take each transition that the charts of tasks and retries both have. */
const ATOM_CAUSES: Causes<World> = {
  'PENDING execute': (world) => {
    startWith(world, { refusing: [] });
    world.script.say('q.execute', 'succeeds');
  },
  'PENDING ignore': (world) => startWith(world, { refusing: ['first'] }),
  'PENDING reset': reset,
  'RUNNING execute': takeUp,
  'RUNNING succeeded': ({ script }) => script.say('subject.execute', 'succeeds'),
  'RUNNING failed': ({ script }) => script.say('subject.execute', 'fails'),
  'RUNNING revert [isAtStart]': async (world) => {
    const { script, engine } = world;
    script.say('sibling.execute', 'fails');
    await world.until(() => engine.storage.getAtomIntention('subject') === 'REVERT');
    await takeUp(world);
  },
  'RUNNING reset': resetUnderWay,
  'SUCCESS revert': ({ script }) => {
    script.decision = 'REVERT';
    script.say('follower.execute', 'fails');
  },
  'SUCCESS reset': (world) => resetAfter(world, 'SUCCESS'),
  // What failed is undone, without anybody asking for it.
  'FAILURE revert': () => undefined,
  'FAILURE reset': resetUnderWay,
  'REVERTING revert': takeUp,
  'REVERTING reverted': ({ script }) => script.say('subject.revert', 'succeeds'),
  'REVERTING revertFailed': ({ script }) => script.say('subject.revert', 'fails'),
  'REVERTING reset': resetUnderWay,
  'REVERTED reset': (world) => resetAfter(world, 'REVERTED'),
  'REVERT_FAILURE revert [isAtStart]': async (world) => {
    await endIn(world, 'FAILURE');
    world.start();
  },
  'REVERT_FAILURE reset': (world) => resetAfter(world, 'FAILURE'),
  'IGNORE ignore': ({ script }) => {
    script.refusing.add('second');
    script.say('q.execute', 'succeeds');
  },
  'IGNORE reset': (world) => resetAfter(world, 'SUCCESS'),
};

async function takeUpWithProgress(world: World, call: Call): Promise<void> {
  await world.until(() => world.script.isWaiting(call));
  world.script.progress(call, 0.5);
  await takeUp(world);
}

export const TASK_CAUSES: Causes<World> = {
  ...ATOM_CAUSES,
  'RUNNING execute [hasProgress]': (world) => takeUpWithProgress(world, 'subject.execute'),
  'REVERTING revert [hasProgress]': (world) => takeUpWithProgress(world, 'subject.revert'),
};

export const RETRY_CAUSES: Causes<World> = {
  ...ATOM_CAUSES,
  'SUCCESS retry': ({ script }) => {
    script.decision = 'RETRY';
    script.say('follower.execute', 'fails');
  },
  // It follows at once; where each change is durable by itself, the process may end before it.
  'RETRYING execute': async (world) => {
    if (world.engine.options.checkpoint === 'change') await takeUp(world);
  },
  'RETRYING reset': resetUnderWay,
};

/** Leads a real engine along a path of one of its atoms. */
export function atomWalker(world: World, causes: Causes<World>): Walker {
  return {
    async begin() {
      await world.load();
      world.engine.compile();
      await world.engine.prepare();
    },
    async take({ name, to }, following) {
      await cause(causes, name, world, following);
      await world.expectStep(name, to);
    },
    async arrive(state) {
      expect(world.stored).toBe(state);
      if (world.isAhead) return;
      expect(world.engine.actorOf('subject').value).toBe(state);
      expect(world.engine.storage.getAtomState('subject')).toBe(state);
    },
  };
}
