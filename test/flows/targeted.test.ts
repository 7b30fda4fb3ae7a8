import { describe, expect, it } from 'vitest';
import { targeted } from '../../src/flows/graph.js';
import { linksOf, made, namesOf } from './make.js';

const a = () => made('a', ['w'], 'x');
const b = () => made('b', ['x', 'v'], 'y');
const c = () => made('c', ['u'], 'z');

describe('a targeted flow', () => {
  it('is a graph flow without a target', () => {
    const flow = targeted('f').add(c(), b(), a());
    expect(flow.pattern).toBe('targeted');
    expect(namesOf(flow)).toEqual(['c', 'a', 'b']);
    expect([...flow.requires]).toEqual(['u', 'v', 'w']);
    expect(String(flow)).toBe('"graph_flow.TargetedFlow: f(len=3)"');
  });

  it('has only its target and what comes before it', () => {
    const target = b();
    const flow = targeted('f').add(c(), target, a());
    expect(flow.setTarget(target)).toBe(flow);
    expect(namesOf(flow)).toEqual(['a', 'b']);
    expect(linksOf(flow)).toEqual(['a -> b, for x']);
    expect([...flow.requires]).toEqual(['v', 'w']);
    expect([...flow.provides]).toEqual(['x', 'y']);
    expect(flow.size).toBe(2);
  });

  it('has all again when the target is reset', () => {
    const target = b();
    const flow = targeted('f').add(c(), target, a()).setTarget(target).resetTarget();
    expect(flow.size).toBe(3);
    expect([...flow.provides]).toEqual(['z', 'x', 'y']);
  });

  it('can have a target alone', () => {
    const target = c();
    const flow = targeted('f').add(target, b(), a()).setTarget(target);
    expect(namesOf(flow)).toEqual(['c']);
    expect(linksOf(flow)).toEqual([]);
    expect([...flow.requires]).toEqual(['u']);
  });

  it('refuses a target that is not in it', () => {
    const flow = targeted('f').add(a());
    expect(() => flow.setTarget(b())).toThrow(RangeError);
    expect(() => flow.setTarget(b())).toThrow("is not in flow 'f' to be its target");
    expect(flow.size).toBe(1);
  });

  it('takes in what is added before its target', () => {
    const target = b();
    const flow = targeted('f').add(target).setTarget(target);
    flow.add(c());
    expect(namesOf(flow)).toEqual(['b']);
    flow.add(a());
    expect(namesOf(flow)).toEqual(['a', 'b']);
    expect([...flow.requires]).toEqual(['v', 'w']);
  });

  it('takes in what is linked before its target', () => {
    const [target, other] = [b(), c()];
    const flow = targeted('f').add(target, other).setTarget(target).link(other, target);
    expect(namesOf(flow)).toEqual(['c', 'b']);
    expect(linksOf(flow)).toEqual(['c -> b, manual']);
  });

  it('tells flows around it of another target', () => {
    const target = c();
    const inner = targeted('g').add(target, a());
    const outer = targeted('f').add(inner);
    expect([...outer.requires]).toEqual(['u', 'w']);
    inner.setTarget(target);
    expect([...outer.requires]).toEqual(['u']);
    outer.add(made('p', [], 'w'));
    expect(linksOf(outer)).toEqual([]);
  });
});
