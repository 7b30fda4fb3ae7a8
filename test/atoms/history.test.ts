import { describe, expect, it } from 'vitest';
import { History } from '../../src/atoms/history.js';
import { Failure } from '../../src/failure.js';

const broken = Failure.from(new TypeError('broken'));
const late = Failure.from(new RangeError('late'));
const own = Failure.from(new SyntaxError('own'));

const history = new History(
  [
    {
      provided: 'one',
      failures: new Map([
        ['a', broken],
        ['b', late],
      ]),
    },
    { provided: 'two', failures: new Map([['a', late]]) },
    { provided: 'three', failures: new Map() },
  ],
  own,
);

describe('a history', () => {
  it('is a list of attempts', () => {
    expect(history).toHaveLength(3);
    expect([...history].map(({ provided }) => provided)).toEqual(['one', 'two', 'three']);
    expect(history.at(1)?.provided).toBe('two');
    expect(history.at(-1)?.provided).toBe('three');
    expect(history.at(3)).toBeUndefined();
  });

  it('has what was provided, in order', () => {
    expect([...history.provided()]).toEqual(['one', 'two', 'three']);
  });

  it('has who failed, in all attempts or in one, without the retry itself', () => {
    expect([...history.outcomes()]).toEqual([
      ['a', broken],
      ['b', late],
      ['a', late],
    ]);
    expect([...history.outcomes(1)]).toEqual([['a', late]]);
    expect([...history.outcomes(-1)]).toEqual([]);
    expect(() => [...history.outcomes(3)]).toThrow(
      new RangeError('index takes the number of one of 3 attempts, got 3'),
    );
  });

  it('tells whether an atom failed with some error', () => {
    expect(history.causedBy(TypeError)).toBe(true);
    expect(history.causedBy('RangeError')).toBe(true);
    expect(history.causedBy(Error)).toBe(true);
    expect(history.causedBy(URIError)).toBe(false);
    expect(history.causedBy(TypeError, { index: 1 })).toBe(false);
    expect(history.causedBy(RangeError, { index: 1 })).toBe(true);
  });

  it('tells whether the retry itself failed with some error, when asked', () => {
    expect(history.causedBy(SyntaxError)).toBe(false);
    expect(history.causedBy(SyntaxError, { includeRetry: true })).toBe(true);
    expect(new History().causedBy(Error, { includeRetry: true })).toBe(false);
    expect(history.failure).toBe(own);
  });

  it('is empty at first', () => {
    expect([...new History()]).toEqual([]);
    expect(new History().failure).toBeNull();
  });
});
