import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/testing/virtual-environment.js';
import { Patience } from '../../src/workers/worker/patience.js';

describe('patience', () => {
  let clock: VirtualClock;
  let patience: Patience;
  let called: string[];
  const callOf = (name: string) => () => {
    called.push(name);
  };

  beforeEach(() => {
    clock = new VirtualClock();
    patience = new Patience(clock, 5);
    called = [];
  });

  it('ends for each at its own time', () => {
    const begin = clock.now();
    const times: number[] = [];
    for (let ms = 0; ms < 20; ms++) {
      if (ms % 3 === 0) patience.add(() => times.push(clock.now() - begin - ms));
      clock.advance(1);
    }
    expect(times).toEqual([5, 5, 5, 5, 5, 5]);
  });

  it('ends for nothing that was over before', () => {
    const [quick, slow] = [callOf('quick'), callOf('slow')];
    patience.add(quick);
    clock.advance(4);
    patience.remove(quick);
    patience.add(slow);
    clock.advance(4);
    expect(called).toEqual([]);
    clock.advance(1);
    expect(called).toEqual(['slow']);
  });

  it('begins again when nothing waited for a while', () => {
    patience.add(callOf('early'));
    clock.advance(100);
    patience.add(callOf('late'));
    clock.advance(4);
    expect(called).toEqual(['early']);
    clock.advance(1);
    expect(called).toEqual(['early', 'late']);
  });
});
