import { describe, expect, it } from 'vitest';
import { settled, virtualEnvironment } from '../../src/testing/index.js';

describe('a virtual environment', () => {
  it('lets time go on when it is told to, and each timer go off at its time', () => {
    const { clock } = virtualEnvironment();
    const start = clock.now();
    const gone: string[] = [];
    const note = (what: string) => () => void gone.push(`${what} ${clock.now() - start}`);
    clock.setTimer(30, note('late'));
    clock.setTimer(10, () => {
      note('early')();
      clock.setTimer(5, note('from within'));
    });
    clock.setTimer(20, note('never')).cancel();
    clock.advance(9);
    expect(gone).toEqual([]);
    clock.advance(16);
    expect(gone).toEqual(['early 10', 'from within 15']);
    expect([clock.now() - start, clock.pending, clock.delays]).toEqual([25, 1, [30, 10, 20, 5]]);
    expect(clock.advanceToNext()).toBe(true);
    expect(gone.at(-1)).toBe('late 30');
    expect(clock.advanceToNext()).toBe(false);
  });

  it('that advances by itself goes on whenever nothing else is left to do', async () => {
    const { clock } = virtualEnvironment({ advancesByItself: true });
    const start = clock.now();
    const gone: number[] = [];
    const again = () => {
      gone.push(clock.now() - start);
      if (gone.length < 3) clock.setTimer(1000, again);
    };
    clock.setTimer(1000, again);
    expect(gone).toEqual([]);
    for (let turn = 0; turn < 5; turn++) await settled();
    expect(gone).toEqual([1000, 2000, 3000]);
    clock.setTimer(1000, again);
    for (let turn = 0; turn < 3; turn++) await settled();
    expect(gone).toHaveLength(4);
  });

  it('gives the same ids and random numbers for the same seed, and others for another', () => {
    const drawn = (seed?: number) => {
      const { newId, random } = virtualEnvironment(seed === undefined ? {} : { seed, prefix: 'run' });
      return [newId(), newId(), random(), random()];
    };
    expect(drawn(7)).toEqual(drawn(7));
    expect(drawn(7).slice(0, 2)).toEqual(['run-1', 'run-2']);
    expect(drawn(8)[2]).not.toBe(drawn(7)[2]);
    expect(drawn()[0]).toBe('id-1');
    for (const number of drawn(9).slice(2)) expect(number).toSatisfy((each: number) => each >= 0 && each < 1);
  });
});
