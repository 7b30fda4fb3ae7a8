import { describe, expect, it } from 'vitest';
import { Task } from '../../src/atoms/task.js';
import { compile } from '../../src/compiler/compile.js';
import { load } from '../../src/engines/load.js';
import type { Flow } from '../../src/flows/flow.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';

/** A task that costs as little as one can. */
class Counting extends Task {
  static calls = 0;

  override execute(): unknown {
    Counting.calls += 1;
    return null;
  }
}

describe('what only memory bounds', () => {
  it('a chain of 200,000 tasks', async () => {
    const length = 200_000;
    Counting.calls = 0;
    const flow = linear('chain').addAll(Array.from({ length }, (_, i) => new Counting({ name: `t${i}` })));
    const engine = await load(flow);
    expect(await engine.run()).toBe('SUCCESS');
    expect(Counting.calls).toBe(length);
    // Each atom is looked at a few times, however long the chain.
    expect(engine.statistics.readinessChecks).toBeLessThan(10 * length);
  }, 120_000);

  it.each([
    ['linear', (name: string) => linear(name)],
    ['unordered', (name: string) => unordered(name)],
  ])(
    '%s flows in flows, 1,000 deep',
    async (_, make: (name: string) => Flow) => {
      const depth = 1000;
      let flow = make('f0').add(new Counting({ name: 'innermost' }));
      for (let level = 1; level <= depth; level++) flow = make(`f${level}`).add(flow);
      const compilation = compile(flow);
      expect(compilation.nodes).toHaveLength(2 * (depth + 1) + 1);
      expect(compilation.atom('innermost').depth).toBe(depth + 1);
      Counting.calls = 0;
      const engine = await load(flow);
      expect(await engine.run()).toBe('SUCCESS');
      expect(Counting.calls).toBe(1);
    },
    60_000,
  );

  it('a chain that fails at its end is undone to its beginning', async () => {
    const length = 20_000;
    let undone = 0;
    class Undoing extends Counting {
      override revert(): unknown {
        return (undone += 1);
      }
    }
    class Failing extends Task {
      override execute(): never {
        throw new Error('Woot!');
      }
    }
    const flow = linear('chain').addAll([
      ...Array.from({ length }, (_, i) => new Undoing({ name: `t${i}` })),
      new Failing({ name: 'last' }),
    ]);
    const engine = await load(flow);
    await expect(engine.run()).rejects.toThrow('Woot!');
    expect(undone).toBe(length);
    expect(engine.statistics.readinessChecks).toBeLessThan(10 * length);
  }, 60_000);
});
