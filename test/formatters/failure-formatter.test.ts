import { describe, expect, it } from 'vitest';
import { load } from '../../src/engines/load.js';
import { Failure } from '../../src/failure.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import type { Flow } from '../../src/flows/flow.js';
import { unordered } from '../../src/flows/unordered.js';
import { FailureFormatter } from '../../src/formatters/failure-formatter.js';
import type { FailureFormatterOptions } from '../../src/formatters/failure-formatter.js';
import { rejection, step, throwing } from '../engines/steps.js';

const Woot = () => throwing(new Error('Woot!'));
const flow = () =>
  linear('f').add(
    step('a', { provides: 'x', execute: () => ({ pin: 1, user: 'ann' }) }),
    unordered('g').add(step('b', { requires: ['x'], optional: ['nothing'] }), step('c')),
    step('broken', { requires: ['x'], execute: Woot() }),
  );

/** What the formatter says when the failure is told of. */
async function formatted(what: Flow, options: FailureFormatterOptions = {}, store = {}): Promise<string> {
  const engine = await load(what, { store });
  const formatter = new FailureFormatter(engine, options);
  let text = '';
  engine.atomNotifier.register('FAILURE', (_, { result }) => {
    text = formatter.format(result as Failure, ({ name }) => name === 'broken');
  });
  await rejection(engine.run());
  expect(engine.statistics.listenerErrors).toBe(0);
  return text;
}

describe('the failure formatter', () => {
  it('shows what came before, nearest first, once for each way that leads there', async () => {
    expect((await formatted(flow())).split('\n')).toEqual([
      '5 predecessors (most recent first):',
      "  ├─ Atom 'b' { intention: 'EXECUTE', state: 'SUCCESS', requires: { x: { pin: 1, user: 'ann' } }, provides: 'b' }",
      "  │  └─ Flow 'g'",
      "  │     └─ Atom 'a' { intention: 'EXECUTE', state: 'SUCCESS', requires: {}, provides: { pin: 1, user: 'ann' } }",
      "  │        └─ Flow 'f'",
      "  └─ Atom 'c' { intention: 'EXECUTE', state: 'SUCCESS', requires: {}, provides: 'c' }",
      "     └─ Flow 'g'",
      "        └─ Atom 'a' { intention: 'EXECUTE', state: 'SUCCESS', requires: {}, provides: { pin: 1, user: 'ann' } }",
      "           └─ Flow 'f'",
    ]);
  });

  it('says nothing of atoms whose failure was resolved, and again when they are to be executed', async () => {
    const engine = await load(flow());
    const formatter = new FailureFormatter(engine);
    const failure = Failure.from(new Error('Woot!'));
    const isBroken = ({ name }: { name: string }) => name === 'broken';
    expect(formatter.format(failure, isBroken)).toBe('');
    await rejection(engine.run());
    expect(engine.storage.getAtomIntention('broken')).toBe('REVERT');
    expect(formatter.format(failure, isBroken)).toBe('');
    engine.storage.setAtomIntention('broken', 'EXECUTE');
    expect(formatter.format(failure, isBroken)).toContain("Atom 'a'");
    expect(formatter.format(failure, ({ name }) => name === 'nobody')).toBe('');
  });

  it('begins with the failure itself when its error is no longer live', async () => {
    const engine = await load(flow());
    const failure = Failure.fromRecord(Failure.from(new RangeError('far')).toRecord());
    const text = new FailureFormatter(engine).format(failure, () => false);
    expect(text).toMatch(/^Failure: RangeError: far\nRangeError: far\n +at /);
  });

  it('does not even read arguments and results of hidden atoms', async () => {
    const engine = await load(flow());
    const read: string[] = [];
    const get = engine.storage.get.bind(engine.storage);
    engine.storage.get = (name) => {
      read.push(name);
      return get(name);
    };
    const formatter = new FailureFormatter(engine, { hideInputsOutputsOf: ['a', 'c'] });
    let text = '';
    engine.atomNotifier.register('FAILURE', (_, { result }) => {
      text = formatter.format(result as Failure, ({ name }) => name === 'broken');
    });
    await rejection(engine.run());
    expect(text).toContain("Atom 'a' { intention: 'EXECUTE', state: 'SUCCESS' }");
    expect(read).toEqual(['b']);
  });

  it.each<[string, unknown, string]>([
    ['a map', { pin: 1, user: 'ann' }, "{ pin: '***', user: 'ann' }"],
    ['maps in maps', { a: { b: { pin: { deep: 1 } } } }, "{ a: { b: { pin: '***' } } }"],
    ['lists', [{ pin: 1 }, [{ pin: 2 }]], "[ { pin: '***' }, [ { pin: '***' } ] ]"],
    ['a Map', new Map([['pin', 1], ['x', 2]]), "Map(2) { 'pin' => '***', 'x' => 2 }"], // prettier-ignore
    ['null', null, 'null'],
    ['a number', 5, '5'],
    ['text', 'pin', "'pin'"],
  ])('masks keys in %s', async (_, given, expected) => {
    const what = linear('f').add(
      step('a', { provides: 'x', execute: () => given }),
      step('broken', { requires: ['x'], execute: Woot() }),
    );
    const text = await formatted(what, { maskOutputsKeys: ['pin'] });
    expect(text).toContain(`provides: ${expected} }`);
  });

  it('masks arguments by their names, and apart from results', async () => {
    const what = linear('f').add(
      step('a', { requires: ['pin'], provides: 'x', execute: () => ({ pin: 1 }) }),
      step('broken', { execute: Woot() }),
    );
    const text = await formatted(what, { maskInputsKeys: ['pin'] }, { pin: 1234 });
    expect(text).toContain("requires: { pin: '***' }, provides: { pin: 1 }");
  });

  it('shortens values, and leaves out what is not there', async () => {
    const what = linear('f').add(
      step('a', { provides: 'x', execute: () => 'y'.repeat(1000) }),
      step('broken', { execute: Woot() }),
    );
    expect(await formatted(what, { maxLength: 80 })).toMatch(/Atom 'a' .{80}… \(\d+ more\)$/m);
  });

  it('shows what is known of a run that is not prepared', async () => {
    const first = await load(flow(), { neverResolve: true });
    await rejection(first.run());
    const engine = await load(flow(), { flowDetail: first.storage.flowDetail() });
    const failure = engine.storage.find('broken')!.failure!;
    const format = () => new FailureFormatter(engine).format(failure, ({ name }) => name === 'broken');
    expect(format()).toBe('');
    engine.compile();
    expect(format()).toContain("Atom 'b' { intention: 'EXECUTE', state: 'SUCCESS', provides: 'b' }");
  });

  it('does not go on for ever where branches meet again and again', async () => {
    const diamonds = graph('f');
    for (let layer = 1; layer <= 30; layer++) {
      for (const side of ['l', 'r']) {
        const requires = layer === 1 ? [] : [`l${layer - 1}`, `r${layer - 1}`];
        diamonds.add(step(`${side}${layer}`, { requires, provides: `${side}${layer}` }));
      }
    }
    diamonds.add(step('broken', { requires: ['l30', 'r30'], execute: Woot() }));
    const lines = (await formatted(diamonds)).split('\n');
    expect(lines[0]).toBe('61 predecessors (most recent first):');
    expect(lines.at(-1)).toBe('  … and more: 200 lines are shown');
    expect(lines).toHaveLength(202);
  });
});
