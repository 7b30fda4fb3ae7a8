import { describe, expect, it } from 'vitest';
import type { RetryInput, RetryRevertInput } from '../../src/atoms/retry.js';
import { Retry } from '../../src/atoms/retry.js';
import { alwaysRevert, Times, times } from '../../src/atoms/retries.js';
import { task } from '../../src/atoms/function-task.js';
import { Task } from '../../src/atoms/task.js';
import type { Engine } from '../../src/engines/engine.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { load } from '../../src/engines/load.js';
import { DependencyError, InvalidStateError, NotFoundError } from '../../src/errors.js';
import { Failure, WrappedFailureError } from '../../src/failure.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { announcementsOf, statesOf } from './announcements.js';
import { Gate, settled } from './manual-environment.js';
import { rejection, step, stepsInto, throwing } from './steps.js';

const woot = new Error('Woot!');

/** Another engine on what the first one stored, as another process would make it. */
async function reloaded(
  engine: Engine,
  backend: PersistenceBackend,
  flow: Flow,
  options: LoadOptions = {},
): Promise<Engine> {
  const flowDetail = await usingConnection(backend, (connection) => connection.getFlowDetail(engine.storage.flowUuid));
  return load(flow, { ...options, flowDetail, backend });
}

function suspendOn(engine: Engine, name: string, state: string): void {
  engine.atomNotifier.register(state, (_, details) => {
    if (('taskName' in details ? details.taskName : details.retryName) === name) engine.suspend();
  });
}

describe('D1: a suspended run with atoms that still wait for an executor', () => {
  it('ends SUSPENDED, and the next run executes only those', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const gate = new Gate();
    const flow = unordered('f').add(step('a', { execute: () => gate.promise }), step('b'));
    const engine = await load(flow, { engine: 'parallel', maxWorkers: 1 });
    const running = engine.run();
    await settled();
    engine.suspend();
    gate.open();
    expect(await running).toBe('SUSPENDED');
    expect(statesOf(engine)).toEqual({ a: 'SUCCESS', b: 'RUNNING' });
    expect(await engine.run()).toBe('SUCCESS');
    expect(log).toEqual(['execute a', 'execute b']);
  });
});

describe('D2 to D5: what is known of failures and attempts', () => {
  it('D2: a history that was read back has values and failures as they were', async () => {
    const backend = memoryBackend();
    const flowOf = (failing: boolean) =>
      linear('f', { retry: times({ name: 'r', attempts: 3 }) }).add(
        step('a', {
          execute: () => {
            if (failing) throw woot;
          },
        }),
      );
    const engine = await load(flowOf(true), { backend });
    let failures = 0;
    engine.atomNotifier.register('FAILURE', () => {
      if ((failures += 1) === 2) engine.suspend();
    });
    expect(await engine.run()).toBe('SUSPENDED');
    const other = await reloaded(engine, backend, flowOf(false));
    const history = other.storage.getRetryHistory('r');
    expect([...history.provided()]).toEqual([1, 2]);
    expect([...history.outcomes()].map(([name, { message }]) => [name, message])).toEqual([
      ['a', 'Woot!'],
      ['a', 'Woot!'],
    ]);
    expect(await other.run()).toBe('SUCCESS');
    expect([...other.storage.getRetryHistory('r').provided()]).toEqual([1, 2, 3]);
  });

  it("D3: what a retry's revert returned is kept, also in the store", async () => {
    class Telling extends Times {
      override revert(): unknown {
        return 'undone';
      }
    }
    const flowOf = () => linear('f', { retry: new Telling({ name: 'r' }) }).add(step('a', { execute: throwing(woot) }));
    const backend = memoryBackend();
    const engine = await load(flowOf(), { backend });
    await rejection(engine.run());
    expect(engine.storage.getRevertResult('r')).toBe('undone');
    const other = await reloaded(engine, backend, flowOf());
    expect(other.storage.getRevertResult('r')).toBe('undone');
  });

  it('D4: a failure that a retry overcame is not reported any more', async () => {
    const reported: string[][] = [];
    let calls = 0;
    const late = new Error('late');
    const flow = linear('f').add(
      step('before', { revert: ({ flowFailures }) => reported.push([...flowFailures.keys()]) }),
      linear('inner', { retry: times({ name: 'r', attempts: 2 }) }).add(
        step('a', {
          execute: () => {
            calls += 1;
            if (calls === 1) throw woot;
          },
        }),
      ),
      step('b', { execute: throwing(late) }),
    );
    const engine = await load(flow);
    expect(await rejection(engine.run())).toBe(late);
    expect(reported).toEqual([['b']]);
  });

  it('D4: an atom that goes back to PENDING has forgotten its result when that is told', async () => {
    const engine = await load(linear('f').add(step('a', { provides: 'x' })));
    await engine.run();
    const found: unknown[] = [];
    engine.atomNotifier.register('PENDING', () =>
      found.push(engine.storage.detail('a').results, engine.storage.fetchAll()),
    );
    await engine.reset();
    expect(found).toEqual([null, {}]);
    expect(() => engine.storage.get('a')).toThrow(NotFoundError);
  });

  it('D4: a run that was resumed throws what was read back as WrappedFailureError', async () => {
    const backend = memoryBackend();
    const flowOf = () => linear('f').add(step('a'), step('b', { execute: throwing(woot) }));
    const engine = await load(flowOf(), { backend });
    suspendOn(engine, 'b', 'FAILURE');
    await engine.run();
    const error = await rejection((await reloaded(engine, backend, flowOf())).run());
    expect(error).toBeInstanceOf(WrappedFailureError);
    expect([...(error as WrappedFailureError)].map(({ message }) => message)).toEqual(['Woot!']);
  });

  it('D5: an execute failure that comes while the flow is being reverted is one of execute', async () => {
    const gate = new Gate();
    const reverting = new Gate();
    const flow = unordered('f').add(
      step('a', { execute: throwing(woot), revert: () => reverting.promise }),
      step('b', {
        execute: async () => {
          await gate.promise;
          throw new Error('later');
        },
      }),
    );
    const engine = await load(flow, { engine: 'parallel' });
    const running = rejection(engine.run());
    await settled();
    expect(statesOf(engine)).toEqual({ a: 'REVERTING', b: 'RUNNING' });
    gate.open();
    await settled();
    reverting.open();
    const error = await running;
    expect([...engine.storage.getExecuteFailures().keys()]).toEqual(['a', 'b']);
    expect([...engine.storage.getRevertFailures().keys()]).toEqual([]);
    expect((error as WrappedFailureError).failures.map(({ message }) => message)).toEqual(['Woot!', 'later']);
    expect(engine.storage.getFlowState()).toBe('REVERTED');
  });
});

describe('D6: a flow in FAILURE', () => {
  function flaky(log: string[]) {
    const broken = { revert: true };
    const step = stepsInto(log);
    const flow = linear('f').add(
      step('a'),
      step('b', {
        revert: () => {
          if (broken.revert) throw new Error('Gotcha!');
        },
      }),
      step('c', { execute: throwing(woot) }),
    );
    return { flow, broken };
  }

  it('takes up reverts that failed when it is run again', async () => {
    const log: string[] = [];
    const { flow, broken } = flaky(log);
    const engine = await load(flow);
    await expect(engine.run()).rejects.toThrow('Gotcha!');
    expect(statesOf(engine)).toEqual({ a: 'SUCCESS', b: 'REVERT_FAILURE', c: 'REVERTED' });
    log.length = 0;
    broken.revert = false;
    await expect(engine.run()).rejects.toThrow('Woot!');
    expect(log).toEqual(['revert b', 'revert a']);
    expect(engine.storage.getFlowState()).toBe('REVERTED');
    expect(engine.storage.getRevertFailures().size).toBe(0);
  });

  it('ends FAILURE again while the revert goes on failing, each time tried once', async () => {
    const log: string[] = [];
    const { flow } = flaky(log);
    const engine = await load(flow);
    for (let run = 0; run < 3; run++) {
      await expect(engine.run()).rejects.toThrow('Gotcha!');
      expect(engine.storage.getFlowState()).toBe('FAILURE');
    }
    expect(log.filter((each) => each === 'revert b')).toHaveLength(3);
    expect(log).not.toContain('revert a');
  });

  it('resolves failures again that nothing resolved', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    let undecided = true;
    class Undecided extends Times {
      override onFailure(input: RetryInput) {
        if (undecided) throw new Error('no idea');
        return super.onFailure(input);
      }
    }
    const flow = linear('f', { retry: new Undecided({ name: 'r' }) }).add(
      step('a'),
      step('b', { execute: throwing(woot) }),
    );
    const engine = await load(flow);
    await expect(engine.run()).rejects.toThrow('no idea');
    expect(statesOf(engine)).toEqual({ a: 'SUCCESS', b: 'FAILURE', r: 'SUCCESS' });
    undecided = false;
    await expect(engine.run()).rejects.toThrow('Woot!');
    expect(engine.storage.getFlowState()).toBe('REVERTED');
    expect(log).toEqual(['execute a', 'execute b', 'revert b', 'revert a']);
    expect(engine.storage.getRetryHistory('r').length).toBe(0);
  });

  it('without a failure of its own throws those that stand: execute first, each in the order of registration', async () => {
    const later = new Error('later');
    const gotcha = new Error('Gotcha!');
    const flow = unordered('f').add(
      step('a', { execute: throwing(woot), revert: throwing(gotcha) }),
      step('b', { execute: throwing(later) }),
    );
    const engine = await load(flow);
    await expect(engine.run()).rejects.toThrow('Gotcha!');
    const asked: string[] = [];
    const suspended = await (async () => {
      for await (const stage of engine.runIter()) {
        asked.push(stage);
        if (stage === 'RESUMING') engine.suspend();
      }
      return engine.storage.getFlowState();
    })();
    expect(suspended).toBe('SUSPENDED');
    const stays = await load(flow, { flowDetail: engine.storage.flowDetail(), neverResolve: true });
    stays.storage.setAtomIntention('a', 'EXECUTE');
    const error = await rejection(stays.run());
    expect((error as WrappedFailureError).failures.map(({ message }) => message)).toEqual([
      'Woot!',
      'later',
      'Gotcha!',
    ]);
    expect(stays.storage.getFlowState()).toBe('FAILURE');
  });

  it('can be reset', async () => {
    const log: string[] = [];
    const { flow } = flaky(log);
    const engine = await load(flow);
    await rejection(engine.run());
    await engine.reset();
    expect(engine.storage.getFlowState()).toBe('PENDING');
    expect(statesOf(engine)).toEqual({ a: 'PENDING', b: 'PENDING', c: 'PENDING' });
    expect(engine.storage.hasFailures()).toBe(false);
  });
});

describe('D7, D16: hooks', () => {
  it('D7: an error of postExecute is the failure of its atom, which is reverted', async () => {
    const log: string[] = [];
    const a = task({
      name: 'a',
      execute: () => 1,
      postExecute: throwing(woot),
      revert: ({ result }) => log.push(`revert of ${result instanceof Failure ? result.message : String(result)}`),
    });
    const engine = await load(linear('f').add(a));
    expect(await rejection(engine.run())).toBe(woot);
    expect(engine.storage.getFlowState()).toBe('REVERTED');
    expect(log).toEqual(['revert of Woot!']);
  });

  it('D7: an error of postRevert is a failure of revert', async () => {
    const gotcha = new Error('Gotcha!');
    const a = task({ name: 'a', execute: throwing(woot), postRevert: throwing(gotcha) });
    const engine = await load(linear('f').add(a));
    expect(await rejection(engine.run())).toBe(gotcha);
    expect(statesOf(engine)).toEqual({ a: 'REVERT_FAILURE' });
  });

  it('D16: retries have the same four hooks', async () => {
    const log: string[] = [];
    class Hooked extends Times {
      override preExecute(): void {
        log.push('preExecute');
      }
      override execute(input: RetryInput): unknown {
        log.push('execute');
        return super.execute(input);
      }
      override postExecute(): void {
        log.push('postExecute');
      }
      override preRevert(): void {
        log.push('preRevert');
      }
      override postRevert(): void {
        log.push('postRevert');
      }
    }
    const engine = await load(
      linear('f', { retry: new Hooked({ name: 'r' }) }).add(step('a', { execute: throwing(woot) })),
    );
    await rejection(engine.run());
    expect(log).toEqual(['preExecute', 'execute', 'postExecute', 'preRevert', 'postRevert']);
  });
});

describe('D8 to D10: arguments', () => {
  it('D8: one that cannot be found is a failure of its atom, and goes the normal way', async () => {
    const log: string[] = [];
    const stepLogged = stepsInto(log);
    const flow = graph('f').add(step('x'), step('gives', { provides: 'v' }));
    const seen: unknown[] = [];
    const needs = stepLogged('needs', { requires: ['v'], revert: ({ result }) => seen.push(result) });
    const [x, gives] = [...flow];
    flow.add(needs);
    flow.link(x!, gives!, { decider: () => false, depth: 'ATOM' });
    const engine = await load(flow);
    const told = announcementsOf(engine);
    const error = await rejection(engine.run());
    expect(error).toBeInstanceOf(NotFoundError);
    expect((error as Error).message).toMatch(/argument v of needs/);
    expect(told.filter((each) => each.startsWith('needs')).map((each) => each.split('(')[0])).toEqual([
      'needs RUNNING',
      'needs FAILURE',
      'needs REVERTING',
      'needs REVERTED',
    ]);
    expect(log).toEqual(['revert needs']);
    expect((seen[0] as Failure).name).toBe('NotFoundError');
    expect(engine.storage.getFlowState()).toBe('REVERTED');
  });

  it('D8: an argument of onFailure that cannot be found ends the run in FAILURE', async () => {
    class Needy extends Retry {
      static override readonly executeArgs = { required: ['x'] };
      override execute(): unknown {
        return 1;
      }
      override onFailure() {
        return 'REVERT' as const;
      }
    }
    const flow = linear('f').add(
      step('gives', { provides: 'x' }),
      linear('inner', { retry: new Needy({ name: 'r' }) }).add(step('a', { execute: throwing(woot) })),
    );
    const engine = await load(flow);
    // The value is there for `execute`, and gone afterwards.
    engine.atomNotifier.register('RUNNING', (_, details) => {
      if ('taskName' in details && details.taskName === 'a') engine.storage.setAtomState('gives', 'PENDING');
    });
    expect(await rejection(engine.run())).toBeInstanceOf(NotFoundError);
    expect(engine.storage.getFlowState()).toBe('FAILURE');
    expect(statesOf(engine)).toMatchObject({ a: 'FAILURE', r: 'SUCCESS' });
    expect(engine.storage.getAtomIntention('a')).toBe('EXECUTE');
  });

  it('D9: an optional argument whose provider comes later, was ignored, or gave no such value is left out', async () => {
    const got: unknown[] = [];
    const asks = (name: string) =>
      step(name, {
        optional: ['v'],
        execute: (args) => {
          got.push(args);
        },
      });
    const later = await load(linear('f').add(asks('a'), step('b', { provides: 'v' })));
    await later.run();
    const short = await load(
      linear('f').add(step('b', { provides: ['u', 'v'], execute: () => ['only one'] }), asks('a')),
    );
    await short.run();
    const flow = graph('f');
    const [x, gives, needs] = [step('x'), step('gives', { provides: 'v' }), asks('needs')];
    flow.add(x, gives, needs).link(x, gives, { decider: () => false, depth: 'ATOM' });
    await (await load(flow)).run();
    expect(got).toEqual([{}, {}, {}]);
  });

  it('D10: a transient value of the flow comes before a persistent one, whichever was injected first', async () => {
    for (const transientFirst of [true, false]) {
      const engine = await load(linear('f').add(step('a', { requires: ['x'], execute: ({ x }) => x })), {
        store: { x: 0 },
      });
      if (transientFirst) await engine.storage.inject({ x: 'transient' }, { transient: true });
      await engine.storage.inject({ x: 'persistent' });
      if (!transientFirst) await engine.storage.inject({ x: 'transient' }, { transient: true });
      await engine.run();
      expect(engine.storage.get('a')).toBe('transient');
      expect(engine.storage.fetch('x')).toBe('transient');
    }
  });
});

describe('D11 to D14: deciders and links', () => {
  it('D11: depth ALL crosses the end of the flow', async () => {
    const [a, b, c] = [step('a'), step('b'), step('c')];
    const inner = graph('inner')
      .add(a, b)
      .link(a, b, { decider: () => false });
    const engine = await load(linear('f').add(inner, c));
    expect(await engine.run()).toBe('SUCCESS');
    expect(statesOf(engine)).toEqual({ a: 'SUCCESS', b: 'IGNORE', c: 'IGNORE' });
  });

  it.each(['ATOM', 'NEIGHBORS', 'FLOW'] as const)(
    'D12: %s on a link into a flow with a retry ignores what stands directly in that flow, not what follows it',
    async (depth) => {
      const [a, z] = [step('a'), step('z')];
      const inner = linear('inner', { retry: times({ name: 'r' }) }).add(step('b'), step('c'));
      const flow = graph('f')
        .add(a, inner, z)
        .link(a, inner, { decider: () => false, depth })
        .link(inner, z);
      const engine = await load(flow);
      expect(await engine.run()).toBe('SUCCESS');
      expect(statesOf(engine)).toEqual({ a: 'SUCCESS', b: 'IGNORE', c: 'IGNORE', r: 'IGNORE', z: 'SUCCESS' });
    },
  );

  it('D13: a child whose output the retry of its flow needs is refused, naming both', () => {
    class Needy extends Times {
      static override readonly executeArgs = { required: ['x'] };
    }
    const flow = graph('f', { retry: new Needy({ name: 'decides' }) });
    expect(() => flow.add(step('gives', { provides: 'x' }))).toThrow(DependencyError);
    expect(() => flow.add(step('gives', { provides: 'x' }))).toThrow(/decides.*gives/);
  });

  it('D14: result and flowFailures are never required, and linking again sets the depth', async () => {
    const gets: unknown[] = [];
    const undo = task({
      name: 'a',
      execute: () => 1,
      revert: ({ result, flowFailures }) => gets.push(result, flowFailures.size),
    });
    const engine = await load(linear('f').add(undo, step('b', { execute: throwing(woot) })));
    await rejection(engine.run());
    expect(gets).toEqual([1, 1]);

    const [a, b, c] = [step('a'), step('b'), step('c')];
    const flow = graph('g').add(a, b, c).link(b, c);
    flow.link(a, b, { decider: () => false, depth: 'ALL' }).link(a, b, { decider: () => false, depth: 'ATOM' });
    const linked = await load(flow);
    await linked.run();
    expect(statesOf(linked)).toEqual({ a: 'SUCCESS', b: 'IGNORE', c: 'SUCCESS' });
  });
});

describe('D15, D23: reset', () => {
  it('D15: clears retry histories, so that attempts are counted from one again', async () => {
    const engine = await load(
      linear('f', { retry: times({ name: 'r', attempts: 2, provides: 'attempt' }) }).add(step('a')),
    );
    await engine.run();
    await engine.reset();
    expect(engine.storage.getRetryHistory('r').length).toBe(0);
    await engine.run();
    expect(engine.storage.fetch('attempt')).toBe(1);
  });

  it('D23: of a flow that is suspended or under way throws before it touches anything', async () => {
    const engine = await load(linear('f').add(step('a'), step('b')));
    suspendOn(engine, 'a', 'SUCCESS');
    const during: unknown[] = [];
    engine.atomNotifier.register('RUNNING', () => void engine.reset().catch((error: unknown) => during.push(error)));
    expect(await engine.run()).toBe('SUSPENDED');
    expect(during[0]).toBeInstanceOf(InvalidStateError);
    const before = engine.storage.flowDetail();
    await expect(engine.reset()).rejects.toThrow(InvalidStateError);
    await expect(engine.reset()).rejects.toThrow(/SUSPENDED cannot be reset/);
    expect(engine.storage.flowDetail()).toEqual(before);
    expect(await engine.run()).toBe('SUCCESS');
  });
});

describe('D19: suspending a flow that is being reverted', () => {
  it('returns SUSPENDED; the next run, of this engine or another, finishes and throws', async () => {
    for (const again of ['same', 'new'] as const) {
      const log: string[] = [];
      const step = stepsInto(log);
      const backend = memoryBackend();
      const flow = linear('f').add(step('a'), step('b'), step('c', { execute: throwing(woot) }));
      const engine = await load(flow, { backend });
      suspendOn(engine, 'b', 'REVERTED');
      expect(await engine.run()).toBe('SUSPENDED');
      expect(statesOf(engine)).toEqual({ a: 'SUCCESS', b: 'REVERTED', c: 'REVERTED' });
      log.length = 0;
      const next = again === 'same' ? engine : await reloaded(engine, backend, flow);
      await expect(next.run()).rejects.toThrow('Woot!');
      expect(log).toEqual(['revert a']);
      expect(next.storage.getFlowState()).toBe('REVERTED');
    }
  });
});

describe('D21, D24: atoms that did not finish', () => {
  it('D21: an atom that was found in the round in which a sibling failed never runs and is never reverted', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const flow = unordered('f').add(linear('l').add(step('a'), step('c')), step('b', { execute: throwing(woot) }));
    const engine = await load(flow);
    const told = announcementsOf(engine);
    await expect(engine.run()).rejects.toThrow('Woot!');
    expect(told.filter((each) => each.startsWith('c'))).toEqual([]);
    expect(engine.storage.getAtomState('c')).toBe('PENDING');
    expect(engine.storage.getAtomIntention('c')).toBe('REVERT');
    expect(log).toEqual(['execute a', 'execute b', 'revert a', 'revert b']);
  });

  it('D24: one that is found RUNNING in a flow that is reverting is reverted, with null as its result', async () => {
    const results: unknown[] = [];
    const flow = linear('f').add(step('a', { revert: ({ result }) => results.push(result) }));
    const engine = await load(flow);
    engine.compile();
    await engine.prepare();
    engine.storage.setAtomState('a', 'RUNNING');
    engine.storage.setAtomIntention('a', 'REVERT');
    const told = announcementsOf(engine);
    await engine.run();
    expect(results).toEqual([null]);
    expect(told).toEqual(['flow RUNNING', 'a REVERTING', 'a REVERTED(1)', 'flow REVERTED']);
  });
});

describe('D22: deferReverts', () => {
  const flowWith = (log: string[]) => {
    const step = stepsInto(log);
    return linear('f').add(
      step('outer'),
      linear('inner', { retry: alwaysRevert({ name: 'r' }) }).add(step('a', { execute: throwing(woot) })),
    );
  };

  it('is the default: what a retry gives up is for those around it to decide, and without any all is reverted', async () => {
    const log: string[] = [];
    const engine = await load(flowWith(log));
    await expect(engine.run()).rejects.toThrow('Woot!');
    expect(statesOf(engine)).toEqual({ outer: 'REVERTED', a: 'REVERTED', r: 'REVERTED' });
  });

  it('false leaves outer atoms in SUCCESS, in a flow that ends REVERTED', async () => {
    const log: string[] = [];
    const engine = await load(flowWith(log), { deferReverts: false });
    await expect(engine.run()).rejects.toThrow('Woot!');
    expect(statesOf(engine)).toEqual({ outer: 'SUCCESS', a: 'REVERTED', r: 'REVERTED' });
    expect(engine.storage.getFlowState()).toBe('REVERTED');
  });
});

describe('beyond TaskFlow', () => {
  it('B4: the idempotency key is the same for the same attempt, and another for any other', async () => {
    const keys = new Map<string, string[]>();
    const noting = (name: string, fails: () => boolean) =>
      step(name, {
        execute: (_, { idempotencyKey }) => {
          keys.set(name, [...(keys.get(name) ?? []), idempotencyKey]);
          if (fails()) throw woot;
        },
        revert: (_, { idempotencyKey }) => {
          keys.set('reverts', [...(keys.get('reverts') ?? []), idempotencyKey]);
        },
      });
    let failures = 1;
    const flow = linear('f', { retry: times({ name: 'r', attempts: 2 }) }).add(
      noting('a', () => false),
      noting('b', () => failures-- > 0),
    );
    const engine = await load(flow);
    await engine.run();
    // As if the process had died while b ran.
    const stored = engine.storage.flowDetail();
    const atoms = stored.atoms.map((atom) => (atom.name === 'b' ? { ...atom, state: 'RUNNING' as const } : atom));
    await (await load(flow, { flowDetail: { ...stored, state: 'RUNNING', atoms } })).run();
    const [firstA, secondA] = keys.get('a') ?? [];
    const [firstB, secondB, againB] = keys.get('b') ?? [];
    expect(againB).toBe(secondB);
    const others = [firstA, secondA, firstB, secondB, ...(keys.get('reverts') ?? [])];
    expect(new Set(others).size).toBe(others.length);
    await engine.reset();
    await engine.run();
    expect(keys.get('a')?.at(-1)).not.toBe(firstA);
  });

  it('B4: parts of the context can be taken out of it', async () => {
    const engine = await load(
      linear('f').add(
        step('a', {
          execute: (_, { progress, notify, signal, idempotencyKey, atom }) => {
            progress(0.5, { at: 'half' });
            notify('said', {});
            return [signal.aborted, typeof idempotencyKey, atom];
          },
        }),
      ),
    );
    await engine.run();
    expect(engine.storage.get('a')).toEqual([false, 'string', 'a']);
    expect(engine.storage.getTaskProgressDetails('a')).toEqual({ atProgress: 0.5, details: { at: 'half' } });
  });

  it('B6: a failure keeps class, code, cause and properties across the store', async () => {
    const backend = memoryBackend();
    class PaymentError extends Error {
      override readonly name = 'PaymentError';
      readonly code = 'DECLINED';
      readonly amount = 12;
    }
    const flow = linear('f').add(
      step('a', { execute: throwing(new PaymentError('no money', { cause: new TypeError('empty') })) }),
    );
    const engine = await load(flow, { backend, neverResolve: true });
    await rejection(engine.run());
    const other = await reloaded(engine, backend, flow, { neverResolve: true });
    const failure = other.storage.getExecuteFailures().get('a');
    expect(failure?.isLive).toBe(false);
    expect(failure?.typeNames[0]).toBe('PaymentError');
    expect(failure?.check(Error)).toBe(Error);
    expect(failure).toMatchObject({ message: 'no money', code: 'DECLINED', properties: { amount: 12 } });
    expect(failure?.causes.map(({ name, message }) => [name, message])).toEqual([['TypeError', 'empty']]);
  });
});

describe('resolution', () => {
  it('the parent is told of a child retry by name, and asked even when its answer does not count', async () => {
    const asked: string[][] = [];
    class Noting extends Times {
      override onFailure({ history }: RetryInput) {
        asked.push([...history.outcomes()].map(([name]) => name));
        return 'REVERT' as const;
      }
    }
    const flow = linear('f', { retry: new Noting({ name: 'outer' }) }).add(
      linear('inner', { retry: alwaysRevert({ name: 'r' }) }).add(step('a', { execute: throwing(woot) })),
    );
    const engine = await load(flow, { deferReverts: false });
    await rejection(engine.run());
    expect(asked).toEqual([['r']]);
  });

  it.each(['AGAIN', undefined, 'constructor'])(
    'an answer of onFailure that is none (%s) ends the run in FAILURE',
    async (answer) => {
      class Vague extends Times {
        override onFailure() {
          return answer as never;
        }
      }
      const engine = await load(
        linear('f', { retry: new Vague({ name: 'r' }) }).add(step('a', { execute: throwing(woot) })),
      );
      await expect(engine.run()).rejects.toThrow(/onFailure of the retry r answers RETRY, REVERT or REVERT_ALL/);
      expect(engine.storage.getFlowState()).toBe('FAILURE');
    },
  );

  it('a promise as an answer of onFailure is refused, and its rejection harms nobody', async () => {
    class Slow extends Times {
      override onFailure() {
        return Promise.reject(new Error('late')) as never;
      }
    }
    const engine = await load(
      linear('f', { retry: new Slow({ name: 'r' }) }).add(step('a', { execute: throwing(woot) })),
    );
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    const before = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
    try {
      await expect(engine.run()).rejects.toThrow(/a promise/);
      await settled();
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of before) process.on('unhandledRejection', listener);
    }
    expect(unhandled).toEqual([]);
  });

  it('a decider that throws, or answers with a promise, ends the run in FAILURE', async () => {
    for (const [decider, message] of [
      [throwing(new Error('undecided')), /undecided/],
      [() => Promise.resolve(true) as never, /decider from a to b has to answer at once/],
    ] as const) {
      const [a, b] = [step('a'), step('b')];
      const engine = await load(graph('f').add(a, b).link(a, b, { decider }));
      await expect(engine.run()).rejects.toThrow(message);
      expect(engine.storage.getFlowState()).toBe('FAILURE');
      expect(statesOf(engine)).toEqual({ a: 'SUCCESS', b: 'PENDING' });
    }
  });

  it("a retry's execute that fails leaves an empty history, and its failure can be read", async () => {
    class Broken extends Times {
      override execute(): unknown {
        throw woot;
      }
      override revert({ history, flowFailures }: RetryRevertInput): unknown {
        return [history.length, history.failure?.message, [...flowFailures.keys()]];
      }
    }
    const engine = await load(linear('f', { retry: new Broken({ name: 'r', attempts: 3 }) }).add(step('a')));
    await expect(engine.run()).rejects.toThrow('Woot!');
    expect(engine.storage.getRetryHistory('r').length).toBe(0);
    expect(engine.storage.getRevertResult('r')).toEqual([0, 'Woot!', ['r']]);
    expect(statesOf(engine)).toEqual({ a: 'PENDING', r: 'REVERTED' });
  });
});

describe('what a decider turns down', () => {
  it.each([
    ['first', 'compiled'],
    ['last', 'compiled'],
    ['first', 'native'],
    ['last', 'native'],
  ] as const)('what becomes ready by that runs, also when it was linked %s (%s)', async (linked, interpreter) => {
    const [o, m, n] = [step('o'), step('m'), step('n')];
    const flow = graph('f').add(o, m, n);
    const refuse = { decider: () => false, depth: 'ATOM' } as const;
    if (linked === 'first') flow.link(o, m).link(o, n, refuse).link(n, m);
    else flow.link(o, n, refuse).link(o, m).link(n, m);
    const engine = await load(flow, { interpreter });
    expect(await engine.run()).toBe('SUCCESS');
    expect(statesOf(engine)).toEqual({ o: 'SUCCESS', m: 'SUCCESS', n: 'IGNORE' });
  });

  it('what becomes ready by that runs, also behind direct neighbours', async () => {
    const [o, m, n, k] = [step('o'), step('m'), step('n'), step('k')];
    const flow = graph('f')
      .add(o, m, n, k)
      .link(o, m)
      .link(o, n, { decider: () => false, depth: 'NEIGHBORS' });
    flow.link(n, k).link(k, m);
    const engine = await load(flow);
    expect(await engine.run()).toBe('SUCCESS');
    expect(statesOf(engine)).toEqual({ o: 'SUCCESS', m: 'SUCCESS', n: 'IGNORE', k: 'IGNORE' });
  });

  it('what becomes ready by that runs, also when the flow begins with it', async () => {
    const empty = linear('empty');
    const inner = linear('inner', { retry: times({ name: 'r' }) }).add(linear('nested').add(step('a')));
    const flow = graph('f')
      .add(empty, inner)
      .link(empty, inner, { decider: () => false, depth: 'FLOW' });
    const engine = await load(flow);
    expect(await engine.run()).toBe('SUCCESS');
    expect(statesOf(engine)).toEqual({ r: 'IGNORE', a: 'SUCCESS' });
  });
});

describe('a failure below a retry that was ignored', () => {
  it.each([true, false])(
    'cannot be noted by it, and ends the run in FAILURE as in TaskFlow (deferReverts: %s)',
    async (deferReverts) => {
      const log: string[] = [];
      const step = stepsInto(log);
      const [a, fails] = [step('a'), step('b', { execute: throwing(woot) })];
      // FLOW, which D12 makes of it, does not reach into the nested flow.
      const inner = linear('inner', { retry: times({ name: 'r' }) }).add(linear('nested').add(fails));
      const flow = graph('f')
        .add(a, inner)
        .link(a, inner, { decider: () => false, depth: 'ATOM' });
      const engine = await load(flow, { deferReverts });
      await expect(engine.run()).rejects.toThrow(/has made no attempt/);
      expect(engine.storage.getFlowState()).toBe('FAILURE');
      expect(log).toEqual(['execute a', 'execute b']);
      await engine.reset();
      expect(engine.storage.getFlowState()).toBe('PENDING');
    },
  );
});

describe('a task that is a class', () => {
  it('may be one object that serves one engine after another', async () => {
    class Counter extends Task {
      calls = 0;
      override execute(): unknown {
        return (this.calls += 1);
      }
    }
    const counter = new Counter({ name: 'a' });
    for (const expected of [1, 2]) {
      const engine = await load(linear('f').add(counter));
      await engine.run();
      expect(engine.storage.get('a')).toBe(expected);
    }
  });
});
