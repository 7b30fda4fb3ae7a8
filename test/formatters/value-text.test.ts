import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.js';
import { maskValues, valueText } from '../../src/formatters/value-text.js';

class Session {
  readonly user = 'ann';
  constructor(readonly token: string) {}
}

class Place {
  readonly row = 12;
}

describe('masking', () => {
  const keys = new Set(['token']);

  it.each<[string, unknown, unknown]>([
    ['objects', { token: 1, user: { token: 2 } }, { token: '***', user: { token: '***' } }],
    ['lists', [[{ token: 1 }]], [[{ token: '***' }]]],
    ['maps', new Map<string, unknown>([['token', 1], ['a', { token: 2 }]]), new Map<string, unknown>([['token', '***'], ['a', { token: '***' }]])], // prettier-ignore
    ['sets', new Set([{ token: 1 }]), new Set([{ token: '***' }])],
    ['instances of classes', new Session('hunter2'), { user: 'ann', token: '***' }],
    ['errors', { error: Object.assign(new Error('e'), { token: 1 }) }, { error: { token: '***' } }],
    ['null', null, null],
    ['text', 'token', 'token'],
  ])('goes through %s', (_, value, expected) => {
    expect(maskValues(value, keys)).toEqual(expected);
  });

  it('leaves alone what has no such key, and changes nothing that it is given', () => {
    for (const value of [new Place(), new Date(0), Buffer.from('token')]) expect(maskValues(value, keys)).toBe(value);
    const given = { token: 1 };
    maskValues(given, keys);
    expect(given).toEqual({ token: 1 });
  });

  it('shows nothing below what it went through', () => {
    let deep: unknown = { token: 'hunter2' };
    for (let level = 0; level < 12; level++) {
      expect(valueText(deep, { maskKeys: ['token'] })).not.toContain('hunter2');
      deep = level % 2 === 0 ? { deep } : [deep];
    }
  });
});

describe('the text of a value', () => {
  it('is one line, whatever the value', () => {
    const cyclic: Record<string, unknown> = { a: 1 };
    cyclic['self'] = cyclic;
    expect(valueText(cyclic)).toBe('<ref *1> { a: 1, self: [Circular *1] }');
    expect(valueText(cyclic, { maskKeys: ['a'] })).toContain("a: '***'");
    expect(valueText(1n)).toBe('1n');
    expect(valueText('two\nlines')).toBe("'two\\nlines'");
    expect(valueText(Failure.from(Object.assign(new Error('Woot!'), { token: 'hunter2' })))).toBe(
      'Failure: Error: Woot!',
    );
    expect(valueText({ [Symbol.for('nodejs.util.inspect.custom')]: () => { throw new Error('no'); } })).toBe('(a value that cannot be shown)'); // prettier-ignore
  });

  it('is shortened, and says by how much', () => {
    expect(valueText('x'.repeat(30), { maxLength: 10 })).toBe(`'${'x'.repeat(9)}… (22 more)`);
  });
});
