import { describe, expect, it } from 'vitest';
import { flowMachine } from '../../machines/index.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { StorageError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { interrupting } from '../../src/testing/interrupting-backend.js';
import { Coverage } from './coverage.js';
import type { Causes } from './expectations.js';
import { cause, expectCauseForEach, expectComplete, walkEach } from './expectations.js';
import type { Path, Step, Walker } from './paths.js';
import { pathsOf } from './paths.js';
import { World } from './world.js';

/** What every new engine asks of a settled flow, and of one that was interrupted. */
const TAKING_UP = (state: string) => [`${state} resume`, `${state} suspended`];

async function prepare({ engine }: World): Promise<void> {
  engine.compile();
  await engine.prepare();
}

/** Another process loads the run, and prepares it. */
async function takeUp(world: World): Promise<void> {
  await world.crash();
  world.perform(() => prepare(world));
}

async function reset(world: World): Promise<void> {
  await world.finish();
  world.perform(() => world.engine.reset());
}

async function runAgain(world: World): Promise<void> {
  await world.finish();
  world.start();
}

function suspend({ engine }: World): void {
  engine.compile();
  engine.suspend();
}

async function suspendOnceUnderWay(world: World, [next]: readonly Step[]): Promise<void> {
  const isReverting = next?.to === 'REVERTED' || next?.to === 'FAILURE';
  if (isReverting) world.script.say('a.execute', 'fails');
  if (isReverting || next?.to === 'SUCCESS') {
    await world.until(() => world.script.isWaiting(isReverting ? 'a.revert' : 'a.execute'));
  }
  world.engine.suspend();
}

const SETTLED = (state: string): Causes<World> => ({
  [`${state} suspend`]: suspend,
  [`${state} suspended`]: takeUp,
  [`${state} resume`]: takeUp,
});

/** What makes a real engine take each transition of the chart of its flow. */
const CAUSES: Causes<World> = {
  ...SETTLED('PENDING'),
  'PENDING reset': async (world) => {
    await prepare(world);
    await reset(world);
  },
  'PENDING run': (world) => world.start(),
  'RUNNING run': runAgain,
  'RUNNING succeeded': ({ script }) => script.say('a.execute', 'succeeds'),
  'RUNNING failed': ({ script }) => {
    script.say('a.execute', 'fails');
    script.say('a.revert', 'fails');
  },
  'RUNNING reverted': ({ script }) => {
    script.say('a.execute', 'fails');
    script.say('a.revert', 'succeeds');
  },
  'RUNNING suspend': suspendOnceUnderWay,
  'RUNNING resume': takeUp,
  ...SETTLED('SUCCESS'),
  'SUCCESS reset': reset,
  'SUCCESS run': runAgain,
  ...SETTLED('FAILURE'),
  'FAILURE reset': reset,
  'FAILURE run': runAgain,
  ...SETTLED('REVERTED'),
  // A flow that was reverted is reset before it is run again.
  'REVERTED reset': runAgain,
  'SUSPENDING suspend': suspend,
  'SUSPENDING succeeded': ({ script }) => script.say('a.execute', 'succeeds'),
  'SUSPENDING failed': ({ script }) => script.say('a.revert', 'fails'),
  'SUSPENDING reverted': ({ script }) => script.say('a.revert', 'succeeds'),
  // There is work left.
  'SUSPENDING suspended': () => undefined,
  'SUSPENDING resume': takeUp,
  ...SETTLED('SUSPENDED'),
  'SUSPENDED run': runAgain,
  'RESUMING resume': takeUp,
  // It follows at once.
  'RESUMING suspended': () => undefined,
};

/** A store that is out of order when it is first to keep that the flow is RUNNING. */
function failingBackend(): PersistenceBackend {
  let isBroken = true;
  return interrupting(memoryBackend(), {
    onCommit(_n, { state }, commit) {
      if (state !== 'RUNNING' || !isBroken) return commit();
      isBroken = false;
      return Promise.reject(new StorageError('out of order'));
    },
  });
}

function optionsFor({ steps }: Path, options: LoadOptions): LoadOptions {
  // A run that was announced and could not be written down has not begun: it can be begun again.
  if (!steps.some(({ name }) => name === 'RUNNING run')) return options;
  return {
    ...options,
    backend: failingBackend(),
    checkpoint: 'change',
    commitRetry: { attempts: 1 },
  };
}

function flowWalker(path: Path, options: LoadOptions, coverage: Coverage): Walker {
  const world = new World({
    subject: {
      actor: 'flow:f',
      stored: ({ storage }) => storage.getFlowState(),
    },
    flow: (script) => linear('f').add(script.task('a')),
    held: ['a.execute', 'a.revert'],
    options: optionsFor(path, options),
    coverage,
  });
  let from = 'PENDING';
  return {
    begin: () => world.load(),
    async take({ name, to }, following) {
      await cause(CAUSES, name, world, following);
      await world.expectStep(name, to, { passing: TAKING_UP(from) });
      from = to;
    },
    async arrive(state) {
      expect(world.stored).toBe(state);
      if (world.isAhead) return;
      expect(world.engine.flowActor.value).toBe(state);
      expect(world.engine.storage.getFlowState()).toBe(state);
    },
  };
}

const { simple, returning } = pathsOf(flowMachine, { input: { name: 'f' } });

it('each transition of a flow has a cause', () => expectCauseForEach(flowMachine, CAUSES));

for (const interpreter of ['compiled', 'native'] as const) {
  for (const engine of ['serial', 'parallel'] as const) {
    describe(`the flow of a real engine (${interpreter}, ${engine})`, () => {
      const coverage = new Coverage(flowMachine);
      const walker = (path: Path) => flowWalker(path, { interpreter, engine }, coverage);

      describe('goes along every simple path', () => walkEach(simple, walker));
      describe('comes back, or stays where it is', () => walkEach(returning, walker));
      it('has taken every transition', () => expectComplete(coverage));
    });
  }
}
