import { describe, expect, it } from 'vitest';
import { engineMachine } from '../../machines/index.js';
import type { LoadOptions } from '../../src/engines/load.js';
import type { Flow } from '../../src/flows/flow.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { Coverage } from './coverage.js';
import type { Causes } from './expectations.js';
import { cause, expectCauseForEach, expectComplete, walkEach } from './expectations.js';
import type { Path, Walker } from './paths.js';
import { pathsOf } from './paths.js';
import type { Call, Script } from './script.js';
import { World } from './world.js';

/** What a path goes through at its end decides what has to be there at its beginning. */
interface Setting {
  readonly flow?: (script: Script) => Flow;
  readonly held?: readonly Call[];
  readonly options?: LoadOptions;
  /** What happened before the run that the path is about. */
  readonly before?: (world: World) => Promise<void>;
}

const inARow = (script: Script) => linear('f').add(script.task('a'), script.task('b'));

const SETTINGS: Readonly<Record<string, Setting>> = {
  'ANALYZING schedule_next': { flow: inARow },
  'ANALYZING wait_finished': {
    flow: (script) => unordered('f').add(script.task('a'), script.task('b')),
    held: ['b.execute'],
    options: { engine: 'parallel' },
  },
  'GAME_OVER suspended': { flow: inARow },
  'GAME_OVER failed': { options: { neverResolve: true } },
  'GAME_OVER reverted': {
    flow: inARow,
    // All is undone and `b` was never begun, but the process ends before the flow is settled.
    async before(world) {
      world.script.say('a.execute', 'fails');
      world.start();
      await world.until(() => world.stage === 'REVERTED');
      await world.crash();
    },
  },
};

const goOn = () => undefined;

/** What makes a real engine go from stage to stage: its caller asks for the next one. */
const CAUSES: Causes<World> = {
  'UNDEFINED start': (world) => world.start(),
  'RESUMING schedule_next': goOn,
  'SCHEDULING wait_finished': ({ script }, following) => {
    if (following.some(({ to }) => to === 'FAILURE')) script.say('a.execute', 'fails');
  },
  'WAITING examine_finished': goOn,
  'ANALYZING schedule_next': goOn,
  'ANALYZING wait_finished': goOn,
  'ANALYZING completed': ({ engine }, following) => {
    if (following.some(({ to }) => to === 'SUSPENDED')) engine.suspend();
  },
  'GAME_OVER success': goOn,
  'GAME_OVER reverted': goOn,
  'GAME_OVER suspended': goOn,
  'GAME_OVER failed': goOn,
};

/** Stages that no caller is told of; FAILURE is thrown instead. */
const UNREPORTED = ['UNDEFINED', 'GAME_OVER', 'FAILURE'];

function engineWalker({ steps }: Path, options: LoadOptions, coverage: Coverage): Walker {
  const setting: Setting = SETTINGS[steps.at(-1)?.name ?? ''] ?? {};
  const world = new World({
    subject: { actor: 'engine:f', stored: ({ storage }) => storage.getFlowState() },
    flow: setting.flow ?? ((script) => linear('f').add(script.task('a'))),
    held: setting.held ?? [],
    options: { ...options, ...setting.options },
    coverage,
  });
  return {
    async begin() {
      await world.load();
      await setting.before?.(world);
    },
    async take({ name, to }, following) {
      await cause(CAUSES, name, world, following);
      await world.expectStep(name, to);
      // The flow itself is settled only after the last stage.
      expect(world.stored).toBe(to === 'SUSPENDED' || following[0]?.to === 'SUSPENDED' ? 'SUSPENDING' : 'RUNNING');
    },
    async arrive(state) {
      if (world.isAhead) return;
      expect(world.engine.actor.getSnapshot()).toMatchObject({ value: state });
      if (!UNREPORTED.includes(state)) expect(world.stage).toBe(state);
    },
  };
}

const { simple, returning } = pathsOf(engineMachine, { input: { name: 'f' } });

it('each transition of an engine has a cause', () => expectCauseForEach(engineMachine, CAUSES));

for (const interpreter of ['compiled', 'native'] as const) {
  for (const checkpoint of ['round', 'change'] as const) {
    describe(`a real engine (${interpreter}, one commit a ${checkpoint})`, () => {
      const coverage = new Coverage(engineMachine);
      const walker = (path: Path) => engineWalker(path, { interpreter, checkpoint }, coverage);

      describe('goes along every simple path', () => walkEach(simple, walker));
      describe('comes back to a stage', () => walkEach(returning, walker));
      it('has taken every transition', () => expectComplete(coverage));
    });
  }
}
