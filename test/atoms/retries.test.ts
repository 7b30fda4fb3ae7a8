import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { History } from '../../src/atoms/history.js';
import {
  alwaysRevert,
  alwaysRevertAll,
  ForEach,
  forEach,
  parameterizedForEach,
  Times,
  times,
} from '../../src/atoms/retries.js';
import { Retry, type RetryDecision, type RetryInput } from '../../src/atoms/retry.js';
import type { AtomContext } from '../../src/atoms/task.js';
import { NotFoundError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';

const context: AtomContext = { atom: 'r', signal: new AbortController().signal, idempotencyKey: 'key' };

const after = (...provided: unknown[]): History =>
  new History(provided.map((each) => ({ provided: each, failures: new Map() })));

/** Runs a retry whose flow always fails, until it gives up. */
function tryAll(retry: Retry, args: object = {}): { readonly tried: unknown[]; readonly answer: RetryDecision } {
  const tried: unknown[] = [];
  for (;;) {
    tried.push(retry.execute({ ...args, history: after(...tried) }, context));
    const answer = retry.onFailure({ ...args, history: after(...tried) });
    if (answer !== 'RETRY') return { tried, answer };
  }
}

describe('a retry', () => {
  class Scripted extends Retry<{ limit: number }> {
    static override readonly executeArgs = { required: ['limit', 'history'] };
    override execute({ history }: RetryInput): number {
      return history.length;
    }
    override onFailure({ limit, history }: { limit: number } & RetryInput): RetryDecision {
      return history.length < limit ? 'RETRY' : 'REVERT';
    }
  }

  it('takes its name from the flow that it is given to', () => {
    const retry = new Scripted();
    expect(retry.name).toBe('');
    expect(linear('trip', { retry }).retry).toBe(retry);
    expect(retry.name).toBe('trip_retry');
    linear('other', { retry });
    expect(retry.name).toBe('trip_retry');
  });

  it('keeps the name that it was given', () => {
    const retry = new Scripted({ name: 'mine' });
    linear('trip', { retry });
    expect(retry.name).toBe('mine');
    expect(String(retry)).toBe('"mine==1.0"');
  });

  it('never requires its history', () => {
    expect([...new Scripted().requires]).toEqual(['limit']);
    expect([...new Scripted().executeMapping.bindings]).toEqual([['limit', 'limit']]);
  });

  it('is wired up like a task', () => {
    const retry = new Scripted({ rebind: { limit: 'tries' }, provides: ['a', 'b'], priority: 3 });
    expect([...retry.requires]).toEqual(['tries']);
    expect([...retry.provides]).toEqual(['a', 'b']);
    expect(retry.priority).toBe(3);
    expect(retry.kind).toBe('retry');
  });

  it('does nothing when its flow is given up, unless it says what', () => {
    expect(new Scripted().revert({}, context)).toBeNull();
  });
});

describe('a retry that always gives up', () => {
  it('provides nothing and gives up its flow', () => {
    expect(tryAll(alwaysRevert({ provides: 'x' }))).toEqual({ tried: [null], answer: 'REVERT' });
  });

  it('gives up all flows around, too', () => {
    expect(tryAll(alwaysRevertAll())).toEqual({ tried: [null], answer: 'REVERT_ALL' });
  });
});

describe('a retry for some times', () => {
  it('provides the number of the attempt, and tries as often in all', () => {
    expect(tryAll(times({ attempts: 3 }))).toEqual({ tried: [1, 2, 3], answer: 'REVERT' });
    expect(tryAll(times({ attempts: 3, revertAll: true }))).toEqual({ tried: [1, 2, 3], answer: 'REVERT_ALL' });
  });

  it.each([[undefined], [0], [1]])('tries once for %j attempts', (attempts) => {
    expect(tryAll(times({ attempts })).tried).toEqual([1]);
  });

  it.each([[-1], [1.5], [Number.NaN], ['3']])('refuses %j attempts', (attempts) => {
    expect(() => new Times({ attempts: attempts as number })).toThrow(RangeError);
    expect(() => new Times({ attempts: attempts as number })).toThrow('attempts takes a whole number from 0, got');
  });
});

describe.each([
  [
    'a retry for each of some values',
    (values: Iterable<unknown>, revertAll?: boolean) => tryAll(forEach({ values, revertAll })),
  ],
  [
    'a retry for each of the values that it is given',
    (values: Iterable<unknown>, revertAll?: boolean) => tryAll(parameterizedForEach({ revertAll }), { values }),
  ],
])('%s', (_name, tryEach) => {
  it('tries one after another, equal ones as often as they are there', () => {
    expect(tryEach([3, 2, 3, 5])).toEqual({ tried: [3, 2, 3, 5], answer: 'REVERT' });
  });

  it('takes a set', () => {
    expect(tryEach(new Set(['a', 'b'])).tried).toEqual(['a', 'b']);
  });

  it('can give up all flows around', () => {
    expect(tryEach([1], true)).toEqual({ tried: [1], answer: 'REVERT_ALL' });
  });

  it('has nothing to try among no values', () => {
    expect(() => tryEach([])).toThrow(NotFoundError);
    expect(() => tryEach([])).toThrow('No elements left');
  });

  it('tells values apart by what is in them', () => {
    const values = [{ host: 'a', ports: [1] }, { host: 'a', ports: [2] }, null, 'null'];
    expect(tryEach(values).tried).toEqual(values);
  });

  it('tries every value once, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1, maxLength: 8 }), (values) => {
        expect(tryEach(values).tried).toEqual(values);
      }),
    );
  });

  it.each([['ab'], [5], [null], [{ a: 1 }]])('refuses %j, which is no list', (values) => {
    expect(() => tryEach(values as never)).toThrow(TypeError);
    expect(() => tryEach(values as never)).toThrow('values takes a list, got');
  });
});

describe('a retry for each of some values', () => {
  it('goes on after values that came back from storage in another order of keys', () => {
    const retry = forEach({
      values: [
        { a: 1, b: 2 },
        { a: 2, b: 2 },
      ],
    });
    expect(retry.execute({ history: after({ b: 2, a: 1 }) })).toEqual({ a: 2, b: 2 });
  });

  it('keeps the values that it was made with', () => {
    const values = [1, 2];
    const retry = new ForEach({ values });
    values.length = 0;
    expect(tryAll(retry).tried).toEqual([1, 2]);
  });

  it('does not require values, unlike one that is given them', () => {
    expect([...forEach({ values: [] }).requires]).toEqual([]);
    expect([...parameterizedForEach().requires]).toEqual(['values']);
    expect([...parameterizedForEach({ rebind: { values: 'hosts' } }).requires]).toEqual(['hosts']);
    expect([...parameterizedForEach({ rebind: ['hosts'] }).requires]).toEqual(['hosts']);
  });
});
