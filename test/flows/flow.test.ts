import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Task } from '../../src/atoms/task.js';
import type { Retry } from '../../src/atoms/retry.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph, targeted } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { made, namesOf, patterns, retryWith } from './make.js';

let tasks: readonly Task[] | undefined;
/** Made once: it takes a while. */
const manyTasks = () => (tasks ??= Array.from({ length: 130_000 }, (_, at) => made(`t${at}`)));

describe.each(patterns)('a %s flow', (pattern, make) => {
  it('is empty at first', () => {
    const flow = make('test');
    expect(flow.size).toBe(0);
    expect([...flow]).toEqual([]);
    expect([...flow.links()]).toEqual([]);
    expect([...flow.requires, ...flow.provides]).toEqual([]);
    expect([flow.name, flow.pattern, flow.retry]).toEqual(['test', pattern, null]);
  });

  it('has a text form', () => {
    const flow = make('test').addAll([made('a'), made('b')]);
    expect(String(flow)).toBe(`"${pattern}_flow.Flow: test(len=2)"`);
    expect(inspect(flow)).toContain(`"${pattern}_flow.Flow: test(len=2)"`);
  });

  it('gives itself when something is added, or nothing', () => {
    const flow = make('test');
    expect(flow.add()).toBe(flow);
    expect(flow.add(made('a'))).toBe(flow);
    expect(flow.addAll([])).toBe(flow);
  });

  it('has what was added, each once', () => {
    const a = made('a');
    const inner = linear('inner');
    const flow = make('test').addAll([a, inner, a]);
    flow.add(inner);
    expect(flow.size).toBe(2);
    expect([...flow]).toEqual([a, inner]);
  });

  it('takes more children than a call takes arguments', () => {
    const many = manyTasks();
    expect(make('test').addAll(many).size).toBe(many.length);
  });

  it.each([[null], ['a'], [{}], [retryWith({ name: 'r' })]])('refuses %o, and adds nothing', (item) => {
    const flow = make('test');
    expect(() => flow.add(made('a'), item as never)).toThrow(TypeError);
    expect(() => flow.add(made('a'), item as never)).toThrow("Flow 'test' takes tasks and flows, got");
    expect(flow.size).toBe(0);
  });

  it('names its retry after itself, and does not count it', () => {
    const retry = retryWith({ provides: 'y', requires: ['x'] });
    const flow = make('test', { retry });
    expect(flow.retry).toBe(retry);
    expect(retry.name).toBe('test_retry');
    expect(flow.size).toBe(0);
    expect([...flow.requires]).toEqual(['x']);
    expect([...flow.provides]).toEqual(['y']);
  });

  it('refuses a retry that is none', () => {
    expect(() => make('test', { retry: made('a') as unknown as Retry })).toThrow(
      new TypeError("retry of flow 'test' takes a retry, got a value of type FunctionTask"),
    );
  });

  it('sees what becomes of a flow that was added before', () => {
    const inner = linear('inner');
    const flow = make('test').add(inner);
    const outer = linear('outer').add(flow);
    expect([...outer.requires]).toEqual([]);
    inner.add(made('a', ['x'], 'y'));
    expect([...flow.requires]).toEqual(['x']);
    expect([...outer.provides]).toEqual(['y']);
    inner.add(made('b', ['z', 'y']));
    expect([...outer.requires]).toEqual(['x', 'z']);
  });

  it('does not get lost in a flow that contains itself', () => {
    const flow = make('test').addAll([made('a', ['x'], 'y')]);
    flow.add(flow);
    expect([...flow.provides]).toEqual(['y']);
    expect(() => flow.add(made('b'))).not.toThrow();
  });
});

describe('a flow', () => {
  it('keeps its meta', () => {
    expect(linear('f', { meta: { owner: 'me' } }).meta).toEqual({ owner: 'me' });
    expect(linear('f').meta).toEqual({});
  });

  it('has a name of text', () => {
    expect(linear(5 as unknown as string).name).toBe('5');
  });

  it('nests deeper than calls do', () => {
    let flow: Flow = linear('innermost').add(made('a', ['x'], 'y'));
    for (let level = 0; level < 20_000; level += 1) {
      const name = `f${level}`;
      flow = [linear(name), unordered(name), graph(name), targeted(name)][level % 4]!.addAll([flow]);
    }
    expect([...flow.requires, ...flow.provides]).toEqual(['x', 'y']);
    expect(namesOf(flow)).toEqual(['f19998']);
  });
});
