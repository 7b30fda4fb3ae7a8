import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Waiting } from '../../src/executors/waiting-line.js';
import { WaitingLine } from '../../src/executors/waiting-line.js';

interface Named extends Waiting {
  readonly name: string;
}

const [A, B] = [{}, {}];
const entry = (owner: object | undefined, name: string, priority = 0): Named => ({ owner, name, priority });

function taken(line: WaitingLine<Named>): string[] {
  const names: string[] = [];
  for (let next = line.take(); next !== undefined; next = line.take()) names.push(next.name);
  return names;
}

function lineOf(...entries: Named[]): WaitingLine<Named> {
  const line = new WaitingLine<Named>();
  for (const each of entries) line.add(each);
  return line;
}

describe('a line of those who wait', () => {
  it('is first come, first served', () => {
    expect(taken(lineOf(entry(A, 'a1'), entry(B, 'b1'), entry(undefined, 'x'), entry(A, 'a2')))).toEqual([
      'a1',
      'b1',
      'x',
      'a2',
    ]);
  });

  it('lets an owner use its turns for what is urgent, and no turn of another', () => {
    const line = lineOf(
      entry(A, 'a1'),
      entry(B, 'b1', 5),
      entry(A, 'a2', 9),
      entry(undefined, 'x', 99),
      entry(B, 'b2', 7),
    );
    expect(taken(line)).toEqual(['a2', 'b2', 'a1', 'x', 'b1']);
  });

  it('gives up the last turn of an owner whose entry leaves when its own was used', () => {
    const [a1, a2] = [entry(A, 'a1'), entry(A, 'a2', 9)];
    const line = lineOf(a1, entry(B, 'b1'), a2, entry(B, 'b2'));
    expect(line.take()).toBe(a2);
    expect(line.remove(a1)).toBe(true);
    expect(line.remove(a1)).toBe(false);
    expect(line.size).toBe(2);
    expect(taken(line)).toEqual(['b1', 'b2']);
  });

  it('loses nobody, whatever is added, taken and removed', () => {
    const step = fc.oneof(
      fc.record({ owner: fc.nat(2), priority: fc.integer({ min: -2, max: 2 }) }),
      fc.constant('take' as const),
      fc.nat(5),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const owners = [A, B, undefined];
        const line = new WaitingLine<Named>();
        const waiting: Named[] = [];
        for (const each of steps) {
          if (each === 'take') {
            const next = line.take();
            expect(next === undefined).toBe(waiting.length === 0);
            if (next !== undefined) {
              const rivals = waiting.filter(({ owner }) => owner === next.owner && owner !== undefined);
              for (const { priority } of rivals) expect(priority).toBeLessThanOrEqual(next.priority);
              waiting.splice(waiting.indexOf(next), 1);
            }
          } else if (typeof each === 'number') {
            const [removed] = waiting.splice(each, 1);
            if (removed !== undefined) expect(line.remove(removed)).toBe(true);
          } else {
            const added = entry(owners[each.owner], '', each.priority);
            waiting.push(added);
            line.add(added);
          }
          expect(line.size).toBe(waiting.length);
        }
      }),
    );
  });
});
