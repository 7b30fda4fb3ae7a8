import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { task } from '../../src/atoms/function-task.js';
import { typed, ValidationError } from '../../src/atoms/validators.js';

const slow = z.string().refine(async (text) => text !== 'bad', { error: 'no good' });

describe('a validator of an argument', () => {
  const made = task({
    name: 'pay',
    requires: { amount: z.number().positive(), when: z.string().transform((text) => new Date(text)) },
    optional: { note: v.string() },
    execute: () => null,
  });

  it('stands for a required or an optional name', () => {
    expect([...made.requires]).toEqual(['amount', 'when']);
    expect([...made.executeMapping.optional]).toEqual(['note']);
  });

  it('gives what execute is called with', () => {
    const when = '2024-02-29T00:00:00.000Z';
    expect(made.checkArguments?.({ amount: 5, when, other: 'kept' })).toEqual({
      amount: 5,
      when: new Date(when),
      other: 'kept',
    });
  });

  it('refuses a value, naming atom, argument and issue', () => {
    expect(() => made.checkArguments?.({ amount: -5, when: '' })).toThrow(ValidationError);
    expect(() => made.checkArguments?.({ amount: -5, when: '' })).toThrow(
      /^The argument 'amount' of task 'pay' is not valid: Too small/,
    );
    expect(() => made.checkArguments?.({ amount: 5, when: '', note: 5 })).toThrow(/^The argument 'note' of task 'pay'/);
  });

  it('tells where in a value the issue is', () => {
    const nested = task({
      name: 't',
      requires: { order: z.object({ rows: z.array(z.number()) }) },
      execute: () => null,
    });
    expect(() => nested.checkArguments?.({ order: { rows: [1, 'two'] } })).toThrow('(at rows.1)');
  });

  it('keeps what the error has to say about the value', () => {
    try {
      void made.checkArguments?.({ amount: -5 });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        name: 'ValidationError',
        atom: "task 'pay'",
        value: 'amount',
        issues: [{ code: 'too_small' }],
      });
    }
  });

  it('may take its time', async () => {
    const waiting = task({ name: 't', requires: { text: slow }, execute: () => null });
    await expect(waiting.checkArguments?.({ text: 'good' })).resolves.toEqual({ text: 'good' });
    await expect(waiting.checkArguments?.({ text: 'bad' })).rejects.toThrow(
      "The argument 'text' of task 't' is not valid: no good",
    );
  });

  it('does not ask for a value that is not there', () => {
    expect(made.checkArguments?.({ amount: 5 })).toEqual({ amount: 5 });
  });

  it('leaves the arguments that it was given as they are', () => {
    const args = { amount: 5, when: '2024-01-01' };
    void made.checkArguments?.(args);
    expect(args.when).toBe('2024-01-01');
  });

  it('works for the name __proto__', () => {
    const odd = task({ name: 't', requires: JSON.parse('{}') as Record<string, never>, execute: () => null });
    expect(odd.checkArguments).toBeUndefined();
    const requires = Object.defineProperty({}, '__proto__', { value: z.coerce.number(), enumerable: true });
    const made = task({ name: 't', requires, execute: () => null });
    const checked = made.checkArguments?.(JSON.parse('{"__proto__": "5"}') as Record<string, unknown>);
    expect(Object.entries(checked ?? {})).toEqual([['__proto__', 5]]);
  });
});

describe('a validator of a result', () => {
  it('sees the whole result when it is the only one', () => {
    const made = task({ name: 't', provides: { id: z.string().trim() }, execute: () => ' x ' });
    expect([...made.saveAs]).toEqual([['id', null]]);
    expect(made.checkResult?.(' x ')).toBe('x');
    expect(() => made.checkResult?.(5)).toThrow(/^The result 'id' of task 't' is not valid/);
  });

  it('sees one property when there are several, and the rest is kept', () => {
    const made = task({
      name: 't',
      provides: { p: z.coerce.number<string>(), q: z.string() },
      execute: () => ({ p: '1', q: 'q', more: true }),
    });
    expect([...made.saveAs]).toEqual([
      ['p', 'p'],
      ['q', 'q'],
    ]);
    expect(made.checkResult?.({ p: '1', q: 'q', more: true })).toEqual({ p: 1, q: 'q', more: true });
    expect(made.checkResult?.(new Map([['p', '1']]))).toEqual({ p: 1 });
    expect(() => made.checkResult?.(null)).toThrow(
      new TypeError("execute of task 't' has to return an object with [p, q], got null"),
    );
  });

  it('may take its time', async () => {
    const made = task({ name: 't', provides: { id: slow }, execute: () => 'good' });
    await expect(made.checkResult?.('good')).resolves.toBe('good');
    await expect(made.checkResult?.('bad')).rejects.toThrow(ValidationError);
  });
});

describe('an atom without validators', () => {
  it('has nothing to check', () => {
    const made = task({ name: 't', requires: ['x'], optional: 'y', provides: 'z', execute: () => null });
    expect(made.checkArguments).toBeUndefined();
    expect(made.checkResult).toBeUndefined();
  });

  it('has nothing to check when it only says types', () => {
    const made = task({
      name: 't',
      requires: { x: typed<string>() },
      provides: { z: typed<number>() },
      execute: () => 5,
    });
    expect([...made.requires]).toEqual(['x']);
    expect([...made.saveAs]).toEqual([['z', null]]);
    expect(made.checkArguments).toBeUndefined();
    expect(made.checkResult).toBeUndefined();
  });
});
