import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { task } from '../../src/atoms/function-task.js';
import type { RetryInput } from '../../src/atoms/retry.js';
import { Times } from '../../src/atoms/retries.js';
import type { Task, TaskContext } from '../../src/atoms/task.js';
import { ValidationError } from '../../src/atoms/validators.js';
import { asyncExecutor } from '../../src/executors/async.js';
import type { Work } from '../../src/executors/executor.js';
import { perform } from '../../src/executors/perform.js';
import { serialExecutor } from '../../src/executors/serial.js';
import { Failure } from '../../src/failure.js';
import { Gate, settled } from '../engines/manual-environment.js';

const context: TaskContext = {
  atom: 'a',
  signal: new AbortController().signal,
  idempotencyKey: 'key',
  progress: () => undefined,
  notify: () => undefined,
};

function executing(atom: Task, args: Record<string, unknown> = {}): Work {
  return { atom, method: 'execute', args, context };
}

function reverting(atom: Task): Work {
  return { atom, method: 'revert', args: {}, context };
}

function returning(value: unknown): Task {
  return task({ name: 'a', execute: () => value as never });
}

async function failureOf(work: Work): Promise<Failure> {
  const outcome = await perform(work);
  expect(outcome).toBeInstanceOf(Failure);
  return outcome as Failure;
}

describe('performing work', () => {
  it('gives what the method returned, at once when it did', () => {
    expect(perform(executing(returning(7)))).toBe(7);
    expect(perform(executing(task({ name: 'a', requires: 'x', execute: ({ x }) => x as never }), { x: 3 }))).toBe(3);
  });

  it('waits for promises and for anything like one', async () => {
    expect(await perform(executing(returning(Promise.resolve(7))))).toBe(7);
    const thenable = { then: (resolve: (value: number) => void) => resolve(8) };
    expect(await perform(executing(returning(thenable)))).toBe(8);
    const callable = Object.assign(() => undefined, { then: (resolve: (value: number) => void) => resolve(9) });
    expect(await perform(executing(returning(callable)))).toBe(9);
  });

  it('undefined counts as null, also from a promise', async () => {
    expect(perform(executing(returning(undefined)))).toBeNull();
    expect(await perform(executing(returning(Promise.resolve(undefined))))).toBeNull();
    expect(perform(reverting(returning(1)))).toBeNull();
  });

  it.each([false, 0, '', null])('%j is a result like any other', (value) => {
    expect(perform(executing(returning(value)))).toBe(value);
  });

  it.each([new RangeError('bad'), 'text', 7, null, undefined, { code: 1 }, Symbol('s')])(
    'whatever is thrown is a failure: %s',
    async (thrown) => {
      const throws = task({
        name: 'a',
        execute: () => {
          throw thrown;
        },
      });
      const failure = perform(executing(throws));
      expect(failure).toBeInstanceOf(Failure);
      expect((failure as Failure).error).toBe(thrown);
      const rejects = task({ name: 'a', execute: () => Promise.reject(thrown) });
      expect((await failureOf(executing(rejects))).error).toBe(thrown);
    },
  );

  it('a thenable that throws is a failure', async () => {
    const thenable = {
      then: () => {
        throw new Error('of then');
      },
    };
    expect((await failureOf(executing(returning(thenable)))).message).toBe('of then');
  });

  it('hooks are called around the method, and waited for', async () => {
    const log: string[] = [];
    const later = (text: string) => async () => {
      await settled();
      log.push(text);
    };
    const hooked = task({
      name: 'a',
      preExecute: later('preExecute'),
      execute: later('execute'),
      postExecute: later('postExecute'),
      preRevert: later('preRevert'),
      revert: later('revert'),
      postRevert: later('postRevert'),
    });
    await perform(executing(hooked));
    await perform(reverting(hooked));
    expect(log).toEqual(['preExecute', 'execute', 'postExecute', 'preRevert', 'revert', 'postRevert']);
  });

  it('D7: the hook after is called whatever happened before, and the first failure counts', async () => {
    const log: string[] = [];
    const fail = (text: string) => () => {
      log.push(text);
      throw new Error(text);
    };
    const hooked = (before: boolean, during: boolean) =>
      task({
        name: 'a',
        preExecute: before ? fail('pre') : () => undefined,
        execute: during ? fail('execute') : () => 1,
        postExecute: fail('post'),
      });
    expect((await failureOf(executing(hooked(true, true)))).message).toBe('pre');
    expect((await failureOf(executing(hooked(false, true)))).message).toBe('execute');
    expect((await failureOf(executing(hooked(false, false)))).message).toBe('post');
    expect(log).toEqual(['pre', 'post', 'execute', 'post', 'post']);
  });

  it('D16: hooks of retries are called', async () => {
    const log: string[] = [];
    class Hooked extends Times {
      override preExecute(): void {
        log.push('pre');
      }
      override execute(input: RetryInput): unknown {
        log.push('execute');
        return super.execute(input);
      }
      override async postExecute(): Promise<void> {
        await settled();
        log.push('post');
      }
    }
    const work: Work = {
      atom: new Hooked({ name: 'r' }),
      method: 'execute',
      args: { history: { length: 0 } },
      context,
    };
    expect(await perform(work)).toBe(1);
    expect(log).toEqual(['pre', 'execute', 'post']);
  });
});

describe('B5: validators', () => {
  it.each([
    ['zod', z.coerce.number()],
    ['valibot', v.pipe(v.string(), v.transform(Number))],
  ])('%s checks arguments, and what it makes of them is passed on', async (_, schema) => {
    let calls = 0;
    const doubles = task({
      name: 'a',
      requires: { x: schema },
      execute: ({ x }) => {
        calls += 1;
        return x * 2;
      },
    });
    expect(await perform(executing(doubles, { x: '21' }))).toBe(42);
    const failure = await failureOf(executing(doubles, { x: {} }));
    expect(failure.error).toBeInstanceOf(ValidationError);
    expect(failure.message).toMatch(/argument 'x'/);
    expect(calls).toBe(1);
  });

  it('asynchronous ones are waited for', async () => {
    const schema = z.string().refine(async (text) => {
      await settled();
      return text !== 'bad';
    });
    const echo = task({ name: 'a', requires: { x: schema }, execute: ({ x }) => x });
    expect(await perform(executing(echo, { x: 'good' }))).toBe('good');
    expect((await failureOf(executing(echo, { x: 'bad' }))).name).toBe('ValidationError');
  });

  it('the result is checked, and what is made of it is kept', async () => {
    const trims = (result: unknown) =>
      task({ name: 'a', provides: { x: z.string().trim() }, execute: () => result as string });
    expect(await perform(executing(trims(' a ')))).toBe('a');
    const failure = await failureOf(executing(trims(7)));
    expect(failure.error).toBeInstanceOf(ValidationError);
    expect(failure.message).toMatch(/result 'x'/);
  });

  it('arguments of revert are not checked: it has to undo what there is', async () => {
    const picky = task({ name: 'a', requires: { x: z.number() }, execute: () => 1, revert: ({ x }) => x });
    expect(await perform({ atom: picky, method: 'revert', args: { x: 'text' }, context })).toBe('text');
  });

  it('what the engine adds passes unchecked', async () => {
    const seen: unknown[] = [];
    const told = task({ name: 'a', requires: { x: z.number() }, execute: (args) => seen.push(args) });
    await perform(executing(told, { x: 1, other: 'y' }));
    expect(seen).toEqual([{ x: 1, other: 'y' }]);
  });

  it('hooks come after the check of arguments and before that of the result', async () => {
    const log: string[] = [];
    const logs = (text: string) => {
      log.push(text);
      return true;
    };
    const hooked = task({
      name: 'a',
      requires: { x: z.number().refine(() => logs('arguments')) },
      provides: { y: z.number().refine(() => logs('result')) },
      preExecute: () => void log.push('pre'),
      execute: () => 1,
      postExecute: () => void log.push('post'),
    });
    await perform(executing(hooked, { x: 1 }));
    expect(log).toEqual(['arguments', 'pre', 'result', 'post']);
  });
});

describe('the serial executor', () => {
  it('does the work where it is submitted', () => {
    const executor = serialExecutor();
    let done = false;
    const submission = executor.submit(executing(task({ name: 'a', execute: () => (done = true) })));
    expect(done).toBe(true);
    expect(submission.outcome).toBe(true);
    expect(submission.cancel()).toBe(false);
  });
});

describe('the executor of the event loop', () => {
  it.each([0, -1, 1.5, NaN, -Infinity])('takes no maxWorkers of %d', (maxWorkers) => {
    expect(() => asyncExecutor({ maxWorkers })).toThrow(RangeError);
    expect(() => asyncExecutor({ maxWorkers })).toThrow(
      new RegExp(`maxWorkers takes a whole number from 1, or Infinity, got ${maxWorkers}`),
    );
  });

  it.each(['2', null, {}])('takes no maxWorkers of %j', (maxWorkers) => {
    expect(() => asyncExecutor({ maxWorkers: maxWorkers as never })).toThrow(/maxWorkers/);
  });

  function crowd(count: number, maxWorkers: number) {
    const executor = asyncExecutor({ maxWorkers });
    const log: string[] = [];
    const gates = Array.from({ length: count }, () => new Gate<number>());
    const submissions = gates.map((gate, i) =>
      executor.submit(
        executing(
          task({
            name: `t${i}`,
            execute: () => {
              log.push(`t${i}`);
              return gate.promise;
            },
          }),
        ),
      ),
    );
    return { log, gates, submissions };
  }

  it.each([
    [1, 1],
    [3, 3],
    [Infinity, 6],
  ])('of %d workers runs %d at once, first come first served', async (maxWorkers, atOnce) => {
    const { log, gates, submissions } = crowd(6, maxWorkers);
    await settled();
    expect(log).toEqual(gates.slice(0, atOnce).map((_, i) => `t${i}`));
    for (const [i, gate] of gates.entries()) {
      gate.open(i);
      await settled();
      expect(log).toHaveLength(Math.min(6, atOnce + i + 1));
    }
    expect(log).toEqual(['t0', 't1', 't2', 't3', 't4', 't5']);
    expect(await Promise.all(submissions.map(({ outcome }) => outcome))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('what waits can be taken back, once, and is never run', async () => {
    const { log, gates, submissions } = crowd(3, 1);
    expect(submissions[0]?.cancel()).toBe(false);
    expect(submissions[1]?.cancel()).toBe(true);
    expect(submissions[1]?.cancel()).toBe(false);
    gates[0]?.open(0);
    await settled();
    expect(log).toEqual(['t0', 't2']);
    expect(submissions[2]?.cancel()).toBe(false);
    gates[2]?.open(2);
    expect(await submissions[2]?.outcome).toBe(2);
    expect(submissions[2]?.cancel()).toBe(false);
  });

  it('what fails gives its place to the next', async () => {
    const { log, gates, submissions } = crowd(2, 1);
    gates[0]?.fail(new Error('Woot!'));
    await settled();
    expect(log).toEqual(['t0', 't1']);
    expect(await submissions[0]?.outcome).toBeInstanceOf(Failure);
  });

  it("work that is done at once takes nobody's place", () => {
    const executor = asyncExecutor({ maxWorkers: 1 });
    const outcomes = [1, 2, 3].map((value) => executor.submit(executing(returning(value))).outcome);
    expect(outcomes).toEqual([1, 2, 3]);
  });

  it('work that was submitted first is begun first, also when a place is free', async () => {
    const executor = asyncExecutor({ maxWorkers: 1 });
    const log: string[] = [];
    const gate = new Gate();
    const noting = (name: string, wait?: Promise<void>) =>
      executor.submit(
        executing(
          task({
            name,
            execute: () => {
              log.push(name);
              return wait;
            },
          }),
        ),
      );
    noting('a', gate.promise);
    noting('b');
    gate.open();
    await settled();
    noting('c');
    await settled();
    expect(log).toEqual(['a', 'b', 'c']);
  });
});
