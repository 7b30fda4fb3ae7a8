/* eslint-disable @typescript-eslint/no-unused-vars, @typescript-eslint/no-invalid-void-type, @typescript-eslint/no-generated-empty-object-type --
   values are made here for their types, and empty ones are among those */
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { ArgumentsOf } from '../../src/atoms/declared-types.js';
import { task } from '../../src/atoms/function-task.js';
import { mapTask, reduceTask } from '../../src/atoms/functor-tasks.js';
import type { History } from '../../src/atoms/history.js';
import { alwaysRevert, forEach, parameterizedForEach, times } from '../../src/atoms/retries.js';
import { Retry, type RetryDecision, type RetryInput } from '../../src/atoms/retry.js';
import { Task, type RevertInput, type TaskContext } from '../../src/atoms/task.js';
import { taskClass } from '../../src/atoms/task-class.js';
import { typed } from '../../src/atoms/validators.js';
import type { Failure } from '../../src/failure.js';
import type { GivesOf, NeedsOf } from '../../src/flows/flow-types.js';

const nothing = () => null;
const someNames: string[] = [];

describe('the arguments of execute', () => {
  it('are unknown values for a list of names', () => {
    task({
      name: 't',
      requires: ['a', 'b'],
      execute: (args) => expectTypeOf(args).toEqualTypeOf<{ readonly a: unknown; readonly b: unknown }>(),
    });
  });

  it('are an unknown value for one name', () => {
    task({ name: 't', requires: 'a', execute: (args) => expectTypeOf(args).toEqualTypeOf<{ readonly a: unknown }>() });
  });

  it('are none when nothing is required', () => {
    task({ name: 't', execute: (args) => expectTypeOf<keyof typeof args>().toBeNever() });
  });

  it('do not have names that are not declared', () => {
    // @ts-expect-error -- b is not required
    task({ name: 't', requires: ['a'], execute: ({ b }) => b as unknown });
  });

  it('are what a validator of zod gives', () => {
    const requires = { when: z.string().transform((text) => new Date(text)) };
    task({ name: 't', requires, execute: (args) => expectTypeOf(args).toEqualTypeOf<{ readonly when: Date }>() });
  });

  it('are what a validator of valibot gives', () => {
    task({ name: 't', requires: { n: v.number() }, execute: ({ n }) => expectTypeOf(n).toBeNumber() });
  });

  it('are of the type that is said', () => {
    task({ name: 't', requires: { n: typed<bigint>() }, execute: ({ n }) => expectTypeOf(n).toBeBigInt() });
  });

  it('may be missing when they are optional', () => {
    task({
      name: 't',
      requires: ['a'],
      optional: { seat: z.string() },
      execute: (args) => expectTypeOf(args).toEqualTypeOf<{ readonly a: unknown; readonly seat?: string }>(),
    });
    task({
      name: 't',
      optional: ['q'],
      execute: (args) => expectTypeOf(args).toEqualTypeOf<{ readonly q?: unknown }>(),
    });
  });

  it('are any for names that TypeScript does not know', () => {
    task({ name: 't', requires: someNames, execute: (args) => expectTypeOf(args['x']).toBeUnknown() });
  });

  it('are any with a signature', () => {
    task({
      name: 't',
      signature: { execute: { required: ['a'] } },
      execute: (args) => expectTypeOf(args).toEqualTypeOf<Readonly<Record<string, unknown>>>(),
    });
  });

  it('keep their names when they are rebound', () => {
    task({
      name: 't',
      requires: ['a'],
      rebind: { a: 'x' },
      execute: (args) => expectTypeOf(args).toEqualTypeOf<{ readonly a: unknown }>(),
    });
  });

  it('come with a context', () => {
    task({ name: 't', execute: (_args, context) => expectTypeOf(context).toEqualTypeOf<TaskContext>() });
    task({ name: 't', execute: (_args, { signal }) => expectTypeOf(signal).toEqualTypeOf<AbortSignal>() });
  });
});

describe('the arguments of revert', () => {
  it('are those of execute, with result and failures', () => {
    task({
      name: 't',
      requires: { n: typed<number>() },
      execute: () => 'done',
      revert: ({ n, result, flowFailures }) => {
        expectTypeOf(n).toBeNumber();
        expectTypeOf(result).toEqualTypeOf<string | Failure | null>();
        expectTypeOf(flowFailures).toEqualTypeOf<ReadonlyMap<string, Failure>>();
      },
    });
  });

  it('have the result that a promise gives', () => {
    task({
      name: 't',
      execute: async () => ({ id: 5 }),
      revert: ({ result }) => expectTypeOf(result).toEqualTypeOf<{ id: number } | Failure | null>(),
    });
  });

  it('have no result to speak of when execute gives none', () => {
    task({
      name: 't',
      execute: () => {},
      revert: ({ result }) => expectTypeOf(result).toEqualTypeOf<void | Failure | null>(),
    });
  });

  it('have not been seen by validators', () => {
    task({
      name: 't',
      requires: { when: z.string().transform((text) => new Date(text)) },
      execute: nothing,
      revert: ({ when }) => expectTypeOf(when).toBeString(),
    });
  });

  it('have the result that the validator of provides gives', () => {
    task({
      name: 't',
      provides: { when: z.string().transform((text) => new Date(text)) },
      execute: () => '2024-01-01',
      revert: ({ result }) => expectTypeOf(result).toEqualTypeOf<Date | Failure | null>(),
    });
  });

  it('are others when revert requires others', () => {
    task({
      name: 't',
      requires: ['a'],
      revertRequires: { b: typed<string>() },
      revertOptional: ['c'],
      execute: ({ a }) => a,
      revert: ({ b, c, ...others }) => {
        expectTypeOf(b).toBeString();
        expectTypeOf(c).toBeUnknown();
        expectTypeOf<keyof typeof others>().toEqualTypeOf<'result' | 'flowFailures'>();
      },
    });
  });

  it('are those of execute when those of revert are an empty list', () => {
    task({
      name: 't',
      requires: ['a'],
      revertRequires: [],
      execute: nothing,
      revert: ({ a }) => expectTypeOf(a).toBeUnknown(),
    });
  });

  it('do not have names that are not declared', () => {
    // @ts-expect-error -- b is not required
    task({ name: 't', requires: ['a'], execute: nothing, revert: ({ b }) => b as unknown });
  });
});

describe('what a task provides', () => {
  it('is nothing, unless it says so', () => {
    const made = task({ name: 't', execute: nothing });
    expectTypeOf<keyof GivesOf<typeof made>>().toBeNever();
  });

  it('is the whole result under one name', () => {
    const made = task({ name: 't', provides: 'x', execute: async () => 'text' });
    expectTypeOf<GivesOf<typeof made>>().toEqualTypeOf<{ readonly x: string }>();
  });

  it('is elements of the result by position', () => {
    const made = task({ name: 't', provides: ['x', 'y'], execute: () => [1, 'two'] });
    expectTypeOf<GivesOf<typeof made>>().toEqualTypeOf<{ readonly x: number; readonly y: string }>();
  });

  it('is elements of a list of which only one type is known', () => {
    const made = task({ name: 't', provides: ['x', 'y'], execute: async (): Promise<number[]> => [1, 2] });
    expectTypeOf<GivesOf<typeof made>>().toEqualTypeOf<{ readonly x: number; readonly y: number }>();
  });

  it('is characters of text', () => {
    const made = task({ name: 't', provides: ['x', 'y'], execute: () => 'hello' });
    expectTypeOf<GivesOf<typeof made>>().toEqualTypeOf<{ readonly x: string; readonly y: string }>();
  });

  it('is properties of the result by key', () => {
    const made = task({ name: 't', provides: { keys: ['p', 'q'] }, execute: () => ({ p: 1, q: 'q', more: true }) });
    expectTypeOf<GivesOf<typeof made>>().toEqualTypeOf<{ readonly p: number; readonly q: string }>();
  });

  it('is properties of the result by a set of known names', () => {
    const made = task({ name: 't', provides: new Set(['p'] as const), execute: () => ({ p: 1 }) });
    expectTypeOf<GivesOf<typeof made>>().toEqualTypeOf<{ readonly p: number }>();
  });

  it('is unknown where the result has no such property', () => {
    const made = task({ name: 't', provides: { keys: ['p'] }, execute: () => ({ q: 1 }) });
    expectTypeOf<GivesOf<typeof made>>().toEqualTypeOf<{ readonly p: unknown }>();
  });

  it('is what validators give', () => {
    const one = task({ name: 't', provides: { x: z.coerce.date<string>() }, execute: () => '2024-01-01' });
    expectTypeOf<GivesOf<typeof one>>().toEqualTypeOf<{ readonly x: Date }>();
    const two = task({ name: 't', provides: { x: z.number(), y: typed<string>() }, execute: () => ({ x: 1, y: 'y' }) });
    expectTypeOf<GivesOf<typeof two>>().toEqualTypeOf<{ readonly x: number; readonly y: string }>();
  });

  it('has to be what validators take', () => {
    // @ts-expect-error -- execute gives a number
    task({ name: 't', provides: { x: z.string() }, execute: () => 5 });
    // @ts-expect-error -- y is missing
    task({ name: 't', provides: { x: z.number(), y: z.number() }, execute: () => ({ x: 1 }) });
  });

  it('is not known for names that TypeScript does not know', () => {
    const made = task({ name: 't', provides: someNames, execute: nothing });
    expectTypeOf<GivesOf<typeof made>>().toEqualTypeOf<object>();
  });
});

describe('what a task needs', () => {
  it('is what it requires, as the store has to give it', () => {
    const made = task({ name: 't', requires: { n: z.coerce.number<string>() }, optional: ['q'], execute: nothing });
    expectTypeOf<NeedsOf<typeof made>>().toEqualTypeOf<{ readonly n: string }>();
  });

  it('is named by symbol when it is rebound by a map', () => {
    const made = task({
      name: 't',
      requires: { a: typed<string>(), b: typed<number>() },
      rebind: { a: 'x' },
      execute: nothing,
    });
    expectTypeOf<NeedsOf<typeof made>>().toEqualTypeOf<{ readonly x: string; readonly b: number }>();
  });

  it('is named by symbol when it is rebound by a list', () => {
    const made = task({ name: 't', requires: ['a', 'b'], rebind: ['x', 'y'], execute: nothing });
    expectTypeOf<NeedsOf<typeof made>>().toEqualTypeOf<{ readonly x: unknown; readonly y: unknown }>();
    const shorter = task({ name: 't', requires: ['a', 'b'], rebind: ['x'], execute: nothing });
    expectTypeOf<NeedsOf<typeof shorter>>().toEqualTypeOf<{ readonly x: unknown; readonly b: unknown }>();
  });

  it('is not what it brings along', () => {
    const made = task({ name: 't', requires: ['a', 'b'], rebind: { a: 'x' }, inject: { x: 1 }, execute: nothing });
    expectTypeOf<NeedsOf<typeof made>>().toEqualTypeOf<{ readonly b: unknown }>();
  });

  it('is also what revert requires', () => {
    const made = task({
      name: 't',
      requires: ['a'],
      revertRequires: ['b'],
      revertRebind: { b: 'x' },
      execute: nothing,
    });
    expectTypeOf<NeedsOf<typeof made>>().toEqualTypeOf<{ readonly a: unknown; readonly x: unknown }>();
  });

  it('is not known for names, or a rebinding, that TypeScript does not know', () => {
    const some = task({ name: 't', requires: someNames, execute: nothing });
    expectTypeOf<NeedsOf<typeof some>>().toEqualTypeOf<object>();
    const rebound = task({ name: 't', requires: ['a'], rebind: new Map([['a', 'x']]), execute: nothing });
    expectTypeOf<NeedsOf<typeof rebound>>().toEqualTypeOf<object>();
    const signed = task({ name: 't', signature: {}, execute: nothing });
    expectTypeOf<NeedsOf<typeof signed>>().toEqualTypeOf<object>();
  });

  it('can only be rebound for arguments', () => {
    // @ts-expect-error -- there is no argument b
    expect(() => task({ name: 't', requires: ['a'], rebind: { b: 'x' }, execute: nothing })).toThrow(RangeError);
  });

  it('has names or validators', () => {
    // @ts-expect-error -- 5 is no name
    expect(() => task({ name: 't', requires: [5], execute: nothing })).toThrow(TypeError);
    // @ts-expect-error -- 5 is no validator
    expect(() => task({ name: 't', requires: { a: 5 }, execute: nothing })).toThrow(TypeError);
  });
});

describe('any task', () => {
  it('is a task', () => {
    expectTypeOf(
      task({ name: 't', requires: { a: typed<string>() }, provides: 'x', execute: nothing }),
    ).toExtend<Task>();
    interface Row {
      id: number;
    }
    class Rows extends Task<Row, { rows: Row[] }> {
      override execute({ id }: Row): Row[] {
        return [{ id }];
      }
    }
    expectTypeOf<Rows>().toExtend<Task>();
  });

  it('has functions that take what they are given, in whatever order they are written', () => {
    task({
      name: 't',
      revert: ({ result }) => expectTypeOf(result).toEqualTypeOf<number | Failure | null>(),
      requires: ['a'],
      execute: () => 5,
    });
    task({
      name: 't',
      requires: ['a'],
      async execute({ a }, { idempotencyKey }) {
        return [a, idempotencyKey];
      },
      revert({ result }) {
        expectTypeOf(result).toEqualTypeOf<[unknown, string] | Failure | null>();
      },
    });
  });
});

describe('a class of tasks', () => {
  class Reserve extends Task<{ flight: string }, { reservation: number }> {
    override execute({ flight }: { flight: string }): number {
      return flight.length;
    }
    override revert({ result }: RevertInput<number>): void {
      expectTypeOf(result).toEqualTypeOf<number | Failure | null>();
    }
  }

  it('says what it needs and gives', () => {
    expectTypeOf<NeedsOf<Reserve>>().toEqualTypeOf<{ flight: string }>();
    expectTypeOf<GivesOf<Reserve>>().toEqualTypeOf<{ reservation: number }>();
    expectTypeOf<ArgumentsOf<Reserve>>().toEqualTypeOf<{ flight: string }>();
  });

  it('says nothing when it is told nothing', () => {
    class Plain extends Task {
      override execute(): null {
        return null;
      }
    }
    expectTypeOf<NeedsOf<Plain>>().toEqualTypeOf<object>();
    expectTypeOf<GivesOf<Plain>>().toEqualTypeOf<object>();
  });

  it('cannot execute other arguments than it says', () => {
    class Wrong extends Task<{ flight: string }> {
      // @ts-expect-error -- flight is text
      override execute({ flight }: { flight: number }): number {
        return flight;
      }
    }
    expectTypeOf<Wrong>().toExtend<Task>();
  });

  it('has its types from a declaration', () => {
    class Book extends taskClass({
      requires: { flight: typed<string>() },
      optional: ['seat'],
      provides: { booking: typed<number>() },
    }) {
      override execute({ flight, seat }: ArgumentsOf<Book>): number {
        expectTypeOf(seat).toBeUnknown();
        return flight.length;
      }
    }
    expectTypeOf<NeedsOf<Book>>().toEqualTypeOf<{ readonly flight: string }>();
    expectTypeOf<GivesOf<Book>>().toEqualTypeOf<{ readonly booking: number }>();
  });

  it('has to give the result that it declares', () => {
    class Wrong extends taskClass({ provides: { booking: typed<number>() } }) {
      // @ts-expect-error -- a booking is a number
      override execute(): string {
        return 'booking';
      }
    }
    expectTypeOf<Wrong>().toExtend<Task>();
  });
});

describe('tasks that map and reduce', () => {
  it('need and give what their functions take and return', () => {
    const map = mapTask((value: number) => String(value), { name: 'm', requires: ['a', 'b'], provides: ['c', 'd'] });
    expectTypeOf<NeedsOf<typeof map>>().toEqualTypeOf<{ readonly a: unknown; readonly b: unknown }>();
    expectTypeOf<GivesOf<typeof map>>().toEqualTypeOf<{ readonly c: string; readonly d: string }>();
    const sum = reduceTask((total: number, value: number) => total + value, {
      name: 'r',
      requires: ['a', 'b'],
      provides: 'c',
    });
    expectTypeOf<GivesOf<typeof sum>>().toEqualTypeOf<{ readonly c: number }>();
  });
});

describe('a retry', () => {
  it('gives the number of the attempt', () => {
    const retry = times({ attempts: 3, provides: 'attempt' });
    expectTypeOf<GivesOf<typeof retry>>().toEqualTypeOf<{ readonly attempt: number }>();
    expectTypeOf<keyof NeedsOf<typeof retry>>().toBeNever();
  });

  it('gives one of its values', () => {
    const retry = forEach({ values: ['a', 'b'], provides: 'host' });
    expectTypeOf<GivesOf<typeof retry>>().toEqualTypeOf<{ readonly host: string }>();
  });

  it('gives what is not known of values that it is given', () => {
    const retry = parameterizedForEach({ provides: 'host', rebind: { values: 'hosts' } });
    expectTypeOf<GivesOf<typeof retry>>().toEqualTypeOf<{ readonly host: unknown }>();
  });

  it('needs what it requires', () => {
    const retry = alwaysRevert({ requires: ['a'], rebind: { a: 'x' } });
    expectTypeOf<NeedsOf<typeof retry>>().toEqualTypeOf<{ readonly x: unknown }>();
  });

  it('has its history in a class', () => {
    class Own extends Retry<{ limit: number }, { attempt: number }> {
      override execute({ history }: RetryInput): number {
        expectTypeOf(history).toEqualTypeOf<History>();
        return history.length;
      }
      override onFailure({ limit, history }: { limit: number } & RetryInput<number>): RetryDecision {
        expectTypeOf([...history.provided()]).toEqualTypeOf<number[]>();
        return history.length < limit ? 'RETRY' : 'REVERT';
      }
    }
    expectTypeOf<NeedsOf<Own>>().toEqualTypeOf<{ limit: number }>();
    expectTypeOf<'MAYBE'>().not.toExtend<ReturnType<Own['onFailure']>>();
  });
});
