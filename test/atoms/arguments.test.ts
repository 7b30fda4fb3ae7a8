import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signature } from '../../src/atoms/atom-options.js';
import { task } from '../../src/atoms/function-task.js';
import { Task, type TaskOptions } from '../../src/atoms/task.js';

/** A task that is only looked at. */
function taskWith(options: TaskOptions): Task {
  return task({ name: 't', execute: () => null, ...options });
}

function signed(execute: Signature['execute'], options: TaskOptions = {}): Task {
  return taskWith({ ...options, signature: { ...(execute && { execute }), revert: { rest: true } } });
}

const bindings = ({ executeMapping }: Task) => Object.fromEntries(executeMapping.bindings);
const revertBindings = ({ revertMapping }: Task) => Object.fromEntries(revertMapping.bindings);

describe('the arguments of execute', () => {
  it('are what it requires, each under its own name', () => {
    const made = taskWith({ requires: ['spam', 'eggs'] });
    expect(bindings(made)).toEqual({ spam: 'spam', eggs: 'eggs' });
    expect([...made.requires]).toEqual(['spam', 'eggs']);
  });

  it('can be named by one string, however long', () => {
    expect([...taskWith({ requires: 'long_argument_name' }).requires]).toEqual(['long_argument_name']);
  });

  it('are inferred from declared parameters', () => {
    expect([...signed({ required: ['x', 'y'] }).requires]).toEqual(['x', 'y']);
  });

  it('are amended by what an instance requires', () => {
    const made = signed({ required: ['x'], rest: true }, { requires: ['y'] });
    expect([...made.requires]).toEqual(['x', 'y']);
  });

  it('can be stated without inference', () => {
    const made = signed({ required: ['x', 'y'] }, { requires: ['x', 'y'], autoExtract: false });
    expect([...made.requires]).toEqual(['x', 'y']);
  });

  it('have to be complete when they are stated without inference', () => {
    expect(() => signed({ required: ['x', 'y'] }, { requires: ['x'], autoExtract: false })).toThrow(
      new RangeError("Missing arguments for task 't': execute takes [x, y], requires and rebind leave out [y]"),
    );
  });

  it('leave out optional parameters of the requirements', () => {
    const made = signed({ required: ['x'], optional: ['bonus'] });
    expect([...made.requires]).toEqual(['x']);
    expect([...made.executeMapping.optional]).toEqual(['bonus']);
    expect(bindings(made)).toEqual({ x: 'x', bonus: 'bonus' });
  });

  it('have an optional parameter among the requirements when it is required by name', () => {
    const made = signed({ required: ['x'], optional: ['bonus'] }, { requires: ['bonus'] });
    expect([...made.requires]).toEqual(['x', 'bonus']);
    expect(made.executeMapping.optional.size).toBe(0);
  });

  it('can rebind optional parameters, which makes them required', () => {
    const made = signed({ required: ['x'], optional: ['bonus'] }, { rebind: { bonus: 'gift' } });
    expect(bindings(made)).toEqual({ x: 'x', bonus: 'gift' });
    expect([...made.requires]).toEqual(['x', 'gift']);
  });

  it('may be anything when nothing is declared', () => {
    class Anything extends Task {
      override execute(): null {
        return null;
      }
    }
    expect([...new Anything({ rebind: { here: 'there' } }).requires]).toEqual(['there']);
    expect([...new Anything().requires]).toEqual([]);
  });

  it('never infer ignored parameters (D14)', () => {
    const made = signed({ required: ['x', 'y'] }, { ignore: ['y'] });
    expect([...made.requires]).toEqual(['x']);
  });

  it('are declared by a class, for all its instances', () => {
    class Reserve extends Task<{ flight: string; seat?: string }> {
      static override readonly executeArgs = { required: ['flight'], optional: ['seat'] };
      static override readonly revertArgs = { required: ['reason'] };
      override execute({ flight }: { flight: string }): string {
        return flight;
      }
    }
    const made = new Reserve({ rebind: { flight: 'outbound' }, revertRebind: { reason: 'why' } });
    expect(bindings(made)).toEqual({ flight: 'outbound', seat: 'seat' });
    expect(revertBindings(made)).toEqual({ reason: 'why' });
    expect([...made.requires]).toEqual(['outbound', 'why']);
  });
});

describe('rebinding', () => {
  const parameters = { required: ['spam', 'eggs', 'context'] };

  it('renames all arguments by a map', () => {
    const made = signed(parameters, { rebind: { spam: 'a', eggs: 'b', context: 'c' } });
    expect(bindings(made)).toEqual({ spam: 'a', eggs: 'b', context: 'c' });
    expect([...made.requires]).toEqual(['a', 'b', 'c']);
  });

  it('renames some arguments by a map, and leaves the others alone', () => {
    expect(bindings(signed(parameters, { rebind: { eggs: 'b' } }))).toEqual({
      spam: 'spam',
      eggs: 'b',
      context: 'context',
    });
  });

  it('takes a Map as well, for names that an object cannot keep in order', () => {
    const made = signed(
      { required: ['b', '1'] },
      {
        rebind: new Map([
          ['b', 'x'],
          ['1', 'y'],
        ]),
      },
    );
    expect([...made.executeMapping.bindings]).toEqual([
      ['b', 'x'],
      ['1', 'y'],
    ]);
  });

  it('renames all arguments by a list', () => {
    expect(bindings(signed(parameters, { rebind: ['a', 'b', 'c'] }))).toEqual({ spam: 'a', eggs: 'b', context: 'c' });
  });

  it('renames the first arguments by a shorter list', () => {
    const made = signed({ required: ['context', 'spam', 'eggs'] }, { rebind: ['a', 'b'] });
    expect(bindings(made)).toEqual({ context: 'a', spam: 'b', eggs: 'eggs' });
  });

  it('keeps the names of what a longer list has left, when any argument is taken', () => {
    const made = signed({ required: ['spam'], rest: true }, { rebind: ['a', 'b', 'c'] });
    expect(bindings(made)).toEqual({ spam: 'a', b: 'b', c: 'c' });
  });

  it('refuses a list that is too long', () => {
    expect(() => signed(parameters, { rebind: ['a', 'b', 'c', 'd'] })).toThrow(RangeError);
  });

  it('refuses an unknown argument', () => {
    expect(() => signed(parameters, { rebind: { foo: 'a' } })).toThrow(
      new RangeError(
        "Extra arguments given to task 't': execute takes [spam, eggs, context], requires and rebind also name [foo]",
      ),
    );
  });

  it('takes an unknown argument when any is taken', () => {
    expect(bindings(signed({ required: ['spam'], rest: true }, { rebind: { foo: 'a' } }))).toEqual({
      spam: 'spam',
      foo: 'a',
    });
  });

  it.each([[42], ['a'], [true], [new Set(['a'])]])('refuses %j, which is neither map nor list', (rebind) => {
    expect(() => signed(parameters, { rebind: rebind as never })).toThrow(TypeError);
    expect(() => signed(parameters, { rebind: rebind as never })).toThrow(/^rebind of task 't' takes/);
  });

  it('refuses a symbol that is no text', () => {
    expect(() => signed(parameters, { rebind: { spam: 5 as never } })).toThrow(
      new TypeError("rebind of task 't' takes symbols, got 5 for the argument 'spam'"),
    );
  });
});

describe('injected values', () => {
  it('are not required from anybody', () => {
    const made = taskWith({ requires: ['x', 'y'], optional: ['z'], inject: { x: 1, z: 2 } });
    expect([...made.requires]).toEqual(['y']);
    expect(made.executeMapping.optional.size).toBe(0);
    expect(bindings(made)).toEqual({ x: 'x', y: 'y', z: 'z' });
  });

  it('are named by symbol, not by argument', () => {
    const made = taskWith({ requires: ['x', 'y'], rebind: { x: 'one' }, inject: { one: 1 } });
    expect([...made.requires]).toEqual(['y']);
    expect([...taskWith({ requires: ['x'], rebind: { x: 'one' }, inject: { x: 1 } }).requires]).toEqual(['one']);
  });

  it('are kept as they are, apart from the object given', () => {
    const inject = { x: { deep: true } };
    const made = taskWith({ requires: ['x'], inject });
    expect(made.inject?.['x']).toBe(inject.x);
    expect(Object.isFrozen(made.inject)).toBe(true);
  });

  it('have to be an object', () => {
    expect(() => taskWith({ inject: 5 as never })).toThrow(
      new TypeError("inject of task 't' takes an object from symbol to value, got 5"),
    );
  });
});

describe('the arguments of revert', () => {
  it('are those of execute when nothing else is said', () => {
    const made = taskWith({ requires: ['x'], optional: ['y'], rebind: { x: 'one' } });
    expect(revertBindings(made)).toEqual({ x: 'one', y: 'y' });
  });

  it('are rebound by themselves', () => {
    const made = taskWith({ requires: ['x'], revertRebind: { x: 'other' } });
    expect(revertBindings(made)).toEqual({ x: 'other' });
    expect([...made.requires]).toEqual(['x', 'other']);
  });

  it('fall back to those of execute when the rebinding is empty', () => {
    for (const revertRebind of [[], {}, new Map<string, string>()]) {
      expect(revertBindings(taskWith({ requires: ['x'], rebind: { x: 'one' }, revertRebind }))).toEqual({ x: 'one' });
    }
    expect(revertBindings(taskWith({ requires: ['x'], revertRequires: [] }))).toEqual({ x: 'x' });
  });

  it('are required by themselves', () => {
    const made = taskWith({ requires: ['x'], revertRequires: ['y'], revertOptional: ['z'] });
    expect(revertBindings(made)).toEqual({ y: 'y', z: 'z' });
    expect([...made.requires]).toEqual(['x', 'y']);
    expect([...made.revertMapping.optional]).toEqual(['z']);
    expect(made.executeMapping.optional.size).toBe(0);
  });

  it('do not need what a list rebinds by the position in execute', () => {
    const made = taskWith({ requires: ['x'], rebind: ['one'], revertRequires: ['y'] });
    expect(revertBindings(made)).toEqual({ y: 'y', x: 'one' });
  });

  it('are inferred from declared parameters, apart from those of execute', () => {
    const made = taskWith({
      signature: { execute: { required: ['x'] }, revert: { required: ['y'], optional: ['z'], rest: true } },
    });
    expect(bindings(made)).toEqual({ x: 'x' });
    expect(revertBindings(made)).toEqual({ y: 'y', z: 'z' });
  });

  it('are only what is stated when revert declares nothing', () => {
    expect(revertBindings(signed({ required: ['x'] }))).toEqual({});
    expect(revertBindings(signed({ required: ['x'] }, { rebind: { x: 'one' } }))).toEqual({ x: 'one' });
    expect(revertBindings(signed({ required: ['x'] }, { rebind: ['one'] }))).toEqual({ one: 'one' });
  });

  it('never infer result and flowFailures (D14)', () => {
    const made = taskWith({
      signature: { revert: { required: ['x', 'result', 'flowFailures'], optional: ['result'] } },
    });
    expect(revertBindings(made)).toEqual({ x: 'x' });
    expect([...made.requires]).toEqual(['x']);
  });

  it('have an argument of execute that is called result hidden under the result', () => {
    const made = taskWith({ requires: ['result'] });
    expect(bindings(made)).toEqual({ result: 'result' });
    expect([...made.requires]).toEqual(['result']);
    expect(taskWith({ optional: ['result'] }).revertMapping.bindings.size).toBe(0);
  });
});

describe('names', () => {
  const odd = ['constructor', '__proto__', 'toString', '1', '', 'ключ', '😀', 'a b', 'hasOwnProperty'];

  it.each(odd)('may be %j', (name) => {
    const rebind = new Map([[name, name]]);
    const made = taskWith({ requires: [name], optional: [`${name}?`], provides: [name], rebind });
    expect([...made.requires]).toEqual([name]);
    expect([...made.executeMapping.bindings.keys()]).toEqual([name, `${name}?`]);
    expect([...made.provides]).toEqual([name]);
    expect(
      taskWith({ requires: [name], inject: JSON.parse(`{${JSON.stringify(name)}:1}`) as Record<string, unknown> })
        .requires.size,
    ).toBe(0);
  });

  it('have to be text', () => {
    expect(() => taskWith({ requires: [5] as never })).toThrow(TypeError);
    expect(() => taskWith({ requires: 5 as never })).toThrow(
      new TypeError(
        "requires of task 't' takes a name, a list of names, or an object from names to Standard Schema validators; got 5",
      ),
    );
    expect(() => taskWith({ optional: { a: 5 } as never })).toThrow(/optional of task 't'.*'a' has 5/);
  });
});

describe('any declaration', () => {
  const name = fc.constantFrom<string[]>('a', 'b', 'c', 'd', 'e', '__proto__');
  const names = fc.uniqueArray(name, { maxLength: 4 });
  const declaration = fc.record({
    required: names,
    optional: names,
    rest: fc.boolean(),
    requires: names,
    rebind: fc.oneof(
      fc.constant(undefined),
      names,
      fc.array(fc.tuple(name, name)).map((pairs) => new Map(pairs)),
    ),
    infer: fc.boolean(),
    ignore: names,
    inject: names,
  });

  /** What atoms.md 1.2 says, step by step. */
  function reference({
    required,
    optional,
    rest,
    requires,
    rebind,
    infer,
    ignore,
    inject,
  }: typeof declaration extends fc.Arbitrary<infer Value> ? Value : never) {
    const req = required.filter((each) => !ignore.includes(each));
    const all = [...required, ...optional];
    const map = new Map<string, string>();
    if (infer) req.forEach((each) => map.set(each, each));
    requires.forEach((each) => map.set(each, each));
    if (rebind instanceof Map) rebind.forEach((symbol, argument) => map.set(argument, symbol));
    else rebind?.forEach((symbol, at) => map.set(req[at] ?? symbol, symbol));
    const opt = infer ? all.filter((each) => !map.has(each) && !ignore.includes(each)) : [];
    if (!rest && [...map.keys()].some((each) => !all.includes(each))) return 'Extra';
    if (req.some((each) => !map.has(each))) return 'Missing';
    const needed = (symbol: string) => !inject.includes(symbol);
    return {
      bindings: [...map, ...[...new Set(opt)].map((each) => [each, each])],
      requires: [...new Set([...map.values()].filter(needed))],
      optional: [...new Set(opt.filter(needed))],
    };
  }

  it('is mapped as the specification says', () => {
    fc.assert(
      fc.property(declaration, (given) => {
        const { required, optional, rest, requires, rebind, infer, ignore, inject } = given;
        const expected = reference(given);
        const make = () =>
          signed(
            { required, optional, rest },
            {
              requires,
              rebind,
              ignore,
              autoExtract: infer,
              inject: Object.fromEntries(inject.map((each) => [each, 1])),
            },
          );
        if (typeof expected === 'string') {
          expect(make).toThrow(expected);
          return;
        }
        const { executeMapping, requires: needed, revertMapping } = make();
        expect([...executeMapping.bindings]).toEqual(expected.bindings);
        expect([...executeMapping.optional]).toEqual(expected.optional);
        const own = new Set([...revertMapping.bindings.values()]);
        expect([...needed].filter((symbol) => expected.requires.includes(symbol) || !own.has(symbol))).toEqual(
          expected.requires,
        );
      }),
      { numRuns: 500 },
    );
  });
});
