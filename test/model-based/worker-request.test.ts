import { afterEach, describe, expect, it } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { workerRequestMachine } from '../../machines/index.js';
import { settled } from '../../src/testing/virtual-environment.js';
import type { WorkerExecutor } from '../../src/workers/client/worker-executor.js';
import type { ScriptedWorker } from '../workers/stage.js';
import { ask, EVENT, FAILURE, RUNNING, Stage, SUCCESS } from '../workers/stage.js';
import { Coverage, nameOf } from './coverage.js';
import type { Causes } from './expectations.js';
import { cause, expectCauseForEach, expectComplete, walkEach } from './expectations.js';
import type { Path, Walker } from './paths.js';
import { pathsOf } from './paths.js';

const LEASE_MS = 15_000;
const TIMEOUT_MS = 60_000;

const { simple, returning } = pathsOf(workerRequestMachine, {
  input: { name: 'r' },
  flags: { mayRedispatch: 'mayRedispatch' },
});

/** A real client and a real broker; the worker's side is played by hand. */
class RequestWorld {
  readonly stage = new Stage();
  executor!: WorkerExecutor;
  worker!: ScriptedWorker;
  readonly states: string[] = [];
  readonly taken: string[] = [];
  /** Whether the request is one of an earlier process, which begins as PENDING. */
  isTakenUp = false;

  constructor(readonly path: Path) {}

  async begin(): Promise<void> {
    const names = this.path.steps.map(({ name }) => name);
    this.isTakenUp = names.includes('PENDING on_lost [mayRedispatch]');
    // How often it may be given to a worker: so often as the path loses one, or once more.
    const losses = names.filter((name) => name === 'RUNNING on_lost [mayRedispatch]').length;
    this.executor = await this.stage.executor({
      maxDeliveries: losses + 1,
      leaseMs: LEASE_MS,
      transitionTimeoutMs: TIMEOUT_MS,
    });
    this.executor.inspect((event: InspectionEvent) => {
      if (event.type === '@xstate.microstep') {
        for (const definition of event._transitions) {
          coverage.take(definition);
          this.taken.push(nameOf(definition));
        }
      }
      if (event.type === '@xstate.snapshot' && 'value' in event.snapshot)
        this.states.push(String(event.snapshot.value));
    });
    this.worker = await this.stage.scripted();
    if (!this.isTakenUp) this.#ask();
    await settled();
  }

  #ask(): void {
    const asked = ask(this.executor, { isTakenUp: this.isTakenUp });
    asked.heard.length = 0;
  }

  async pending(): Promise<void> {
    const isFirst = !this.states.includes('WAITING') && this.isTakenUp && this.states.length === 0;
    if (isFirst) this.#ask();
    else await this.worker.notify();
    await settled();
  }

  async close(): Promise<void> {
    await this.stage.close();
  }
}

const coverage = new Coverage(workerRequestMachine);
const lastState = (world: RequestWorld) => world.states.at(-1) ?? (world.isTakenUp ? 'PENDING' : 'WAITING');

const CAUSES: Causes<RequestWorld> = {
  'WAITING on_pending': (world) => world.pending(),
  'WAITING on_failure': (world) => world.stage.pass(TIMEOUT_MS),
  'PENDING on_running': (world) => world.worker.reply(RUNNING),
  'PENDING on_event': (world) => world.worker.reply(EVENT('seen')),
  'PENDING on_success': (world) => world.worker.reply(SUCCESS()),
  'PENDING on_failure': (world) => world.worker.reply(FAILURE('no')),
  'PENDING on_lost [mayRedispatch]': async (world) => {
    await world.stage.pass(1000);
  },
  'RUNNING on_running': (world) => world.worker.beat(),
  'RUNNING on_event': (world) => world.worker.reply(EVENT('seen')),
  'RUNNING on_success': (world) => world.worker.reply(SUCCESS()),
  'RUNNING on_failure': (world) => world.worker.reply(FAILURE('no')),
  'RUNNING on_lost [mayRedispatch]': async (world) => {
    await world.worker.bye();
    await world.stage.pass(LEASE_MS);
  },
  'RUNNING on_lost': async (world) => {
    await world.worker.bye();
    await world.stage.pass(LEASE_MS);
  },
};

let world: RequestWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

function walkerFor(path: Path): Walker {
  const own = new RequestWorld(path);
  world = own;
  return {
    begin: () => own.begin(),
    take: async ({ name }, following) => {
      await cause(CAUSES, name, own, following);
      await settled();
    },
    arrive: (state) => {
      // A request that was taken up is there from PENDING on.
      const isNotYet = own.isTakenUp && own.states.length === 0;
      if (!isNotYet) expect(lastState(own)).toBe(state);
      return Promise.resolve();
    },
  };
}

it('each transition of a request has a cause', () => expectCauseForEach(workerRequestMachine, CAUSES));

describe('a request of a real client', () => {
  describe('goes along every simple path', () => walkEach(simple, walkerFor));
  describe('comes back, or stays where it is', () => walkEach(returning, walkerFor));
  it('has taken every transition', () => expectComplete(coverage));
});
