import { describe, expect, it } from 'vitest';
import { memoryForTexts, SharedTexts, textsIn } from '../../src/workers/worker/shared-texts.js';

describe('texts in shared memory', () => {
  it('are there until they are removed', () => {
    const memory = memoryForTexts(2);
    const texts = new SharedTexts(memory);
    const slot = texts.add('one');
    texts.add('größer');
    expect(textsIn(memory)).toEqual(['one', 'größer']);
    texts.remove(slot ?? -1);
    expect(textsIn(memory)).toEqual(['größer']);
    texts.add('three');
    expect(textsIn(memory)).toEqual(['three', 'größer']);
  });

  it('are refused where they have no room', () => {
    const memory = memoryForTexts(1);
    const texts = new SharedTexts(memory);
    expect(texts.add('x'.repeat(505))).toBeNull();
    expect(texts.add('x'.repeat(504))).toBe(0);
    expect(texts.add('y')).toBeNull();
    expect(textsIn(memory)).toEqual(['x'.repeat(504)]);
  });

  it('are left out while they are being changed', () => {
    const memory = memoryForTexts(1);
    new SharedTexts(memory).add('one');
    Atomics.add(new Int32Array(memory), 0, 1);
    expect(textsIn(memory)).toEqual([]);
  });
});
