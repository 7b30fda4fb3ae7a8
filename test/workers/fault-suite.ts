import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/index.js';
import { WorkerExecutor } from '../../src/index.js';
import { IncompatibleVersionError, RequestTimeoutError } from '../../src/errors.js';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import { until } from '../../src/testing/transport-suite/suite.js';
import { runMailbox } from '../../src/workers/protocol/codec.js';
import { transport } from '../../src/workers/transport-registry.js';
import type { WorkerExecutorOptions } from '../../src/workers/client/options.js';
import type { Message, Transport } from '../../src/workers/transport.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import type { Broker } from './fault-world.js';
import { FaultWorld, TIMES } from './fault-world.js';
import type { Step } from './programs/steps.js';
import { block, step } from './programs/steps.js';
import { committedBy } from './committed.js';

/** How a broker is made to go wrong, where that can be done from outside. */
export interface BrokerFaults {
  /** Cuts all connections. */
  readonly cut: () => void;
  /** It is not there for a while. */
  readonly outage: { begin(): void; end(): void };
}

const DONE = { a: 'a', b: 'b', c: 'c' };

/** What has to hold whatever goes wrong, with real processes and a real broker. */
export function faultSuite(name: string, brokerOf: () => Broker, faults: BrokerFaults | null): void {
  describe(`over ${name}`, () => {
    let compiled: CompiledSources;
    beforeAll(() => {
      compiled = compileSources();
    });
    afterAll(() => compiled[Symbol.dispose]());
    let world: FaultWorld;
    beforeEach(() => {
      world = new FaultWorld(compiled, brokerOf());
    });
    afterEach(() => world.close());

    /** Loads a flow of steps, and counts the results that are committed, by atom. */
    async function loaded(steps: readonly Step[], more = {}) {
      const flow = linear('steps').addAll(steps.map((each) => step(each)));
      const options = 'executor' in more ? { engine: 'workers' as const } : world.options;
      const engine = world.remember(await load(flow, { ...options, ...more }));
      const committed = committedBy(engine);
      return { engine, committed };
    }

    async function expectDone(engine: Engine, running: Promise<unknown>, committed: readonly string[]) {
      expect(await running).toBe('SUCCESS');
      expect(engine.storage.fetchAll()).toEqual(DONE);
      expect(committed).toEqual(['a', 'b', 'c']);
    }

    it('a worker that is killed during its task loses it to another', async () => {
      await world.worker();
      await world.worker();
      const { engine, committed } = await loaded(world.steps({ dies: 'during' }));
      await expectDone(engine, engine.run(), committed);
      expect([world.count('begin b'), world.count('effect b')]).toEqual([2, 1]);
    });

    it('a worker that is killed after its effect has it done once more, under the same key', async () => {
      await world.worker();
      await world.worker();
      const { engine, committed } = await loaded(world.steps({ dies: 'after the effect' }));
      await expectDone(engine, engine.run(), committed);
      const effects = world.lines.filter((line) => line.startsWith('effect b'));
      expect(effects).toHaveLength(2);
      expect(new Set(effects).size).toBe(1);
    });

    it('a worker that is killed after its reply, before it acknowledges, has its result counted once', async () => {
      await world.worker({ diesBeforeAck: `${world.ledger}.ack` });
      const { engine, committed } = await loaded(world.steps());
      const running = engine.run();
      await world.until('effect a');
      await world.worker();
      await expectDone(engine, running, committed);
    });

    it('a worker that is killed before it accepts leaves the request to the next', async () => {
      const first = await world.worker();
      const { engine: _, ...options } = world.options;
      const executor = new WorkerExecutor(options);
      expect(await executor.waitForWorkers(1, 10_000)).toBe(0);
      const { engine, committed } = await loaded(world.steps(), { executor });
      // It stands still, so what is sent to it is not accepted.
      first.kill('SIGSTOP');
      const running = engine.run();
      await until(() => engine.why().some(({ waitsFor }) => waitsFor === 'running'));
      first.kill('SIGKILL');
      await first.ended;
      await world.worker();
      await expectDone(engine, running, committed);
      expect(world.count('effect a')).toBe(1);
      await executor.close();
    });

    it('a worker that stands still for longer than its lease is fenced off when it goes on', async () => {
      const workers = [await world.worker()];
      const { engine, committed } = await loaded(world.steps({ gate: world.gate }));
      const running = engine.run();
      await world.until('begin b');
      for (const worker of workers) worker.kill('SIGSTOP');
      await world.worker();
      await world.until('begin b', 2);
      world.open();
      await expectDone(engine, running, committed);
      for (const worker of workers) worker.kill('SIGCONT');
      await world.until('effect b', 2);
    });

    it('an engine that is killed takes up what the workers went on with, and repeats nothing', async () => {
      await world.worker();
      const steps = world.steps({ gate: world.gate });
      const first = world.engineProcess(steps);
      await world.until('begin b');
      await first.kill();
      const second = world.engineProcess(steps);
      world.open();
      expect(await second.ended).toEqual({ state: 'SUCCESS', results: DONE });
      expect(world.lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(
        ['a', 'b', 'c'].flatMap((name) => [`begin ${name}`, `effect ${name}`]),
      );
    });

    it('an engine that is killed takes what the workers finished meanwhile', async () => {
      await world.worker();
      const steps = world.steps({ gate: world.gate });
      const first = world.engineProcess(steps);
      await world.until('begin b');
      await first.kill();
      world.open();
      await world.until('effect b');
      expect(await world.engineProcess(steps).ended).toEqual({ state: 'SUCCESS', results: DONE });
      expect(world.count('effect b')).toBe(1);
    });

    it('a run that has ended leaves no mailbox, and one whose engine was killed or suspended has it still', async () => {
      await world.worker();
      const link = await (await transport(world.place)).open();
      const isThere = (runId: string) =>
        link.post(runMailbox(runId), { properties: { type: 'RESPONSE' }, body: Buffer.from('late') });
      const steps = world.steps({ gate: world.gate });
      const first = world.engineProcess(steps);
      await world.until('begin b');
      await first.kill();
      const killed = await world.storedRun();
      expect(await isThere(killed)).toBe(true);
      const { engine } = await loaded(world.steps());
      const suspending = engine.atomNotifier.register('SUCCESS', () => engine.suspend());
      expect(await engine.run()).toBe('SUSPENDED');
      expect(await isThere(engine.storage.flowUuid)).toBe(true);
      suspending[Symbol.dispose]();
      expect(await engine.run()).toBe('SUCCESS');
      await engine.close();
      world.open();
      const second = world.engineProcess(steps);
      expect(await second.ended).toEqual({ state: 'SUCCESS', results: DONE });
      await second.exited;
      expect([await isThere(engine.storage.flowUuid), await isThere(killed)]).toEqual([false, false]);
      await link.close();
    });

    it('a task that keeps the event loop of its worker busy for longer than the lease is missed', async () => {
      await world.worker();
      const flow = linear('busy').add(block('block', TIMES.leaseMs * 6));
      const engine = world.remember(await load(flow, { ...world.options, onWorkerLost: 'fail' }));
      await expect(engine.run()).rejects.toThrow(/is not heard of any more, for 1500 ms/);
    });

    it('a task that keeps it busy for less than that is not', async () => {
      await world.worker();
      const flow = linear('busy').add(block('block', TIMES.leaseMs / 2));
      const engine = world.remember(await load(flow, { ...world.options, onWorkerLost: 'fail' }));
      expect(await engine.run()).toBe('SUCCESS');
    });

    it('a worker of another major version is refused at once, and one of the same runs it', async () => {
      await world.worker();
      const other = step({ name: 'a', ledger: world.ledger, version: '1.4' });
      expect(await world.remember(await load(linear('f').add(other), world.options)).run()).toBe('SUCCESS');
      const executor = world.options;
      const fixed = compiled.pathOf('test/executors/fixtures/tasks.ts');
      await world.worker({ topic: 'fixed', tasks: [`${fixed}:versioned`] });
      const { task } = await import('../../src/atoms/function-task.js');
      const newer = task({ name: 'versioned', version: '2.0', execute: () => null });
      const engine = world.remember(await load(linear('f').add(newer), executor));
      await expect(engine.run()).rejects.toThrow(IncompatibleVersionError);
    });

    it('without any worker a flow fails in time, or waits and says for what', async () => {
      const { engine } = await loaded(world.steps(), { noWorkerMs: 300 });
      await expect(engine.run()).rejects.toThrow(RequestTimeoutError);
      const { engine: patient, committed } = await loaded(world.steps(), {
        transitionTimeoutMs: null,
        topics: ['steps'],
      });
      const running = patient.run();
      const [why] = await waiting(patient);
      expect(why).toMatchObject({ atom: 'a', waitsFor: 'worker' });
      expect(why?.message).toBe("a waits: a worker of the topic steps that runs 'step' version 1.0; there is none");
      await world.worker();
      await expectDone(patient, running, committed);
    });

    it('forged, truncated and oversized messages are dead letters, and harm nobody', async () => {
      const keys = { k1: 'a secret' };
      await world.worker({ keys, maxMessageBytes: 100_000 });
      const link = await (await transport(world.place)).open();
      const forged = { version: 2, task: { name: 'step' } };
      for (const body of ['', '{', JSON.stringify(forged), 'x'.repeat(200_000)]) {
        await link.send('steps', { properties: { type: 'REQUEST', replyTo: 'engine-x' }, body: Buffer.from(body) });
      }
      const { engine, committed } = await loaded(world.steps(), { keys });
      await expectDone(engine, engine.run(), committed);
      let letters = await link.deadLetters();
      while (letters.length < 4) letters = await link.deadLetters();
      expect(letters.map(({ reason }) => reason).toSorted()).toEqual([
        'it is not signed',
        'it is not signed',
        'it is not signed',
        'it takes 200000 bytes, more than the 100000 of maxMessageBytes',
      ]);
      await link.close();
    });

    it('signed requests that somebody has recorded and sends again are dead letters, to whomever they come', async () => {
      const keys = { k1: 'a secret' };
      await world.worker({ keys });
      await world.worker({ keys });
      const inner = await transport(world.place);
      const sent: Message[] = [];
      const recorded: Transport = {
        name: inner.name,
        open: async () => {
          const link = await inner.open();
          const send = link.send.bind(link);
          return Object.assign(link, {
            send: (topic: string, message: Message) => (sent.push(message), send(topic, message)),
          });
        },
      };
      const { engine: _, url: __, exchange: ___, transportOptions: ____, ...options } = world.options;
      const executor = new WorkerExecutor({ ...(options as WorkerExecutorOptions), transport: recorded, keys });
      expect(await executor.waitForWorkers(2, 10_000)).toBe(0);
      const { engine, committed } = await loaded(world.steps({ gate: world.gate }), { executor });
      const running = engine.run();
      await world.until('begin b');
      const attacker = await inner.open();
      const reasons = async (count: number) => {
        let letters = await attacker.deadLetters();
        while (letters.length < count) letters = await attacker.deadLetters();
        return [...new Set(letters.map(({ reason }) => reason))].toSorted();
      };
      // Of one that was run, and of one that is being run; often enough that both workers get some.
      const early = sent.flatMap((message) => Array.from({ length: 4 }, () => message));
      await Promise.all(early.map((message) => attacker.send('steps', message)));
      const before = 'it was sent before, or comes too late: ';
      expect(await reasons(early.length)).toEqual([
        `${before}a worker has it already: somebody has sent it twice`,
        `${before}its engine does not wait for it: it was run before, or is not wanted any more`,
      ]);
      world.open();
      await expectDone(engine, running, committed);
      await executor.close();
      await Promise.all(sent.map((message) => attacker.send('steps', message)));
      expect(await reasons(early.length + sent.length)).toContain(`${before}its run has ended`);
      expect(['a', 'b', 'c'].map((each) => world.count(`begin ${each}`))).toEqual([1, 1, 1]);
      await attacker.close();
    });

    // Where there is only one host there is only one clock, and no line that could be cut.
    if (faults !== null) {
      it('clocks that are an hour apart harm nothing, with signatures or without', async () => {
        const keys = { k1: 'a secret' };
        await world.worker({ clockSkewMs: 3_600_000, keys });
        await world.worker({ clockSkewMs: -3_600_000, keys });
        const { engine, committed } = await loaded(world.steps(), { keys });
        await expectDone(engine, engine.run(), committed);
      });

      it('a connection that is cut while tasks run loses nothing', async () => {
        await world.worker();
        const { engine, committed } = await loaded(world.steps({ gate: world.gate }));
        const running = engine.run();
        await world.until('begin b');
        faults.cut();
        world.open();
        await expectDone(engine, running, committed);
      });

      it('a broker that is away for longer than the lease is waited for', async () => {
        await world.worker();
        const { engine, committed } = await loaded(world.steps({ gate: world.gate }));
        const running = engine.run();
        await world.until('begin b');
        faults.outage.begin();
        world.open();
        await world.until('effect b');
        setTimeout(() => faults.outage.end(), TIMES.leaseMs * 2);
        await expectDone(engine, running, committed);
      });
    }
  });
}

/** What the atoms of a run wait for, when one waits for a worker. */
async function waiting(engine: Engine) {
  const reasons = () => engine.why().filter(({ waitsFor }) => waitsFor === 'worker');
  await until(() => reasons().length > 0);
  return reasons();
}
