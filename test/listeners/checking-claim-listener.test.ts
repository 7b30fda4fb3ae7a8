import { describe, expect, it } from 'vitest';
import { load } from '../../src/engines/load.js';
import { NotFoundError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { CheckingClaimListener } from '../../src/listeners/checking-claim-listener.js';
import { settled } from '../engines/manual-environment.js';
import { step } from '../engines/steps.js';
import { RecordingLogger } from './recording-logger.js';

const flow = () => linear('f').add(step('a'), step('b'), step('c'));

/** A claim that can be lost, and what its board would answer. */
class Claim {
  owner: string | null = 'me';
  asked = 0;
  readonly isLost = (): boolean => {
    this.asked += 1;
    if (this.owner === null) throw new NotFoundError('There is no such job');
    return this.owner !== 'me';
  };
}

async function stagesWhenLost(lose: (claim: Claim) => void): Promise<{ stages: string[]; state: string }> {
  const claim = new Claim();
  const engine = await load(flow());
  using _listener = new CheckingClaimListener(engine, claim).register();
  const stages: string[] = [];
  for await (const stage of engine.runIter()) {
    stages.push(stage);
    if (stage === 'SCHEDULING') lose(claim);
  }
  return { stages, state: engine.storage.getFlowState() };
}

describe('the listener that checks a claim', () => {
  it.each<[string, (claim: Claim) => void]>([
    ['somebody else has the job', (claim) => (claim.owner = 'somebody else')],
    ['the job is gone', (claim) => (claim.owner = null)],
  ])('suspends the engine after one round when %s', async (_, lose) => {
    const { stages, state } = await stagesWhenLost(lose);
    const count = (stage: string) => stages.filter((each) => each === stage).length;
    expect([count('SCHEDULING'), count('WAITING'), count('ANALYZING')]).toEqual([1, 1, 1]);
    expect(state).toBe('SUSPENDED');
  });

  it('lets an engine be that has its claim', async () => {
    const { state } = await stagesWhenLost(() => undefined);
    expect(state).toBe('SUCCESS');
  });

  it('leaves it to a handler of the caller what is done', async () => {
    const claim = new Claim();
    const engine = await load(flow());
    const told: unknown[] = [];
    const onJobLoss = (...args: unknown[]) => told.push(args.slice(0, 2));
    using _listener = new CheckingClaimListener(engine, { isLost: claim.isLost, onJobLoss }).register();
    engine.atomNotifier.register('RUNNING', (_, details) => {
      if ('taskName' in details && details.taskName === 'c') claim.owner = 'somebody else';
    });
    expect(await engine.run()).toBe('SUCCESS');
    expect(told).toEqual([
      [engine, 'SUCCESS'],
      [engine, 'SUCCESS'],
    ]);
    expect(claim.asked).toBe(8);
  });

  it('waits for an answer that takes a while, and asks one question at a time', async () => {
    let answer: (isLost: boolean) => void = () => undefined;
    let asked = 0;
    const isLost = () => {
      asked += 1;
      return new Promise<boolean>((resolve) => (answer = resolve));
    };
    const engine = await load(
      linear('f').add(
        step('a', {
          execute: async () => {
            answer(true);
            await settled();
          },
        }),
        step('b'),
      ),
    );
    using _listener = new CheckingClaimListener(engine, { isLost }).register();
    expect(await engine.run()).toBe('SUSPENDED');
    // Once at RUNNING; then about SUSPENDING, which is never answered.
    expect(asked).toBe(2);
  });

  it('takes an answer that cannot be had for a loss, and hands on what is no answer at all', async () => {
    const engine = await load(flow());
    const isLost = () => Promise.reject(new NotFoundError('gone'));
    const losses: string[] = [];
    const onJobLoss = (_: unknown, state: string) => losses.push(state);
    await new CheckingClaimListener(engine, { isLost, onJobLoss }).during(async () => {
      await engine.run();
      await settled();
    });
    expect(losses[0]).toBe('RUNNING');

    const logger = new RecordingLogger();
    const other = await load(flow());
    const broken = () => Promise.reject(new TypeError('a mistake'));
    await new CheckingClaimListener(other, { isLost: broken, logger }).during(async () => {
      await other.run();
      await settled();
    });
    expect(other.storage.getFlowState()).toBe('SUCCESS');
    expect(logger.entries[0]).toEqual(['warn', expect.stringContaining('a mistake')]);
  });

  it('logs that an engine cannot be suspended', async () => {
    const engine = await load(flow());
    const logger = new RecordingLogger();
    using _listener = new CheckingClaimListener(engine, { isLost: () => true, logger }).register();
    const { flowUuid, flowName } = engine.storage;
    engine.notifier.notify('RUNNING', { engine, flowName, flowUuid, oldState: 'PENDING' });
    expect(logger.entries).toEqual([
      ['warn', 'The engine of f could not be suspended: suspend() needs a compiled flow: call compile() first'],
    ]);
  });

  it('refuses handlers that cannot be called', async () => {
    const engine = await load(flow());
    expect(() => new CheckingClaimListener(engine, { isLost: 5 as never })).toThrow(
      'isLost takes a function, got number',
    );
    expect(() => new CheckingClaimListener(engine, { isLost: () => false, onJobLoss: 5 as never })).toThrow(TypeError);
  });
});
