import { describe, expect, it } from 'vitest';
import { barOf, clipped, durationText, printable } from '../../src/formatters/terminal-text.js';

describe('text for a terminal', () => {
  it('gives no orders', () => {
    expect(printable('a\u001b[31m\n\u009bb\u202ec')).toBe('a\\x1b[31m\\n\\x9bb\\u202ec');
  });

  it.each([
    ['plain', 10, 'plain'],
    ['plain', 3, 'pla'],
    ['日本語', 5, '日本'],
    ['a😀b', 3, 'a😀'],
    ['█░…', 3, '█░…'],
  ])('of %s has %i columns at most', (text, columns, expected) => {
    expect(clipped(text, columns)).toBe(expected);
  });

  it.each([
    [0, '░'.repeat(20)],
    [0.5, '█'.repeat(10) + '░'.repeat(10)],
    [7, '█'.repeat(20)],
    [-1, '░'.repeat(20)],
  ])('shows %d as a bar', (share, expected) => {
    expect(barOf(share)).toBe(expected);
  });

  it.each([
    [0, '0.0 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [59_499, '59 s'],
    [59_500, '1 min 0 s'],
    [3_599_499, '59 min 59 s'],
    [3_599_500, '1 h 0 min'],
    [7_260_000, '2 h 1 min'],
    [7_199_000, '2 h 0 min'],
  ])('says %i milliseconds as %s', (ms, expected) => {
    expect(durationText(ms)).toBe(expected);
  });
});
