import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { mapTask } from '../../src/atoms/functor-tasks.js';
import { addressOf, TaskRegistry, taskFactory } from '../../src/atoms/task-registry.js';
import { Task } from '../../src/atoms/task.js';
import { DuplicateError } from '../../src/errors.js';

class Resize extends Task {
  override execute(): string {
    return this.name;
  }
}
class Sized extends Task {
  static override readonly typeName = 'sized';
  constructor(readonly width: number) {
    super({ name: `sized ${width}`, version: '2.1' });
  }
  override constructionParameters(): readonly unknown[] {
    return [this.width];
  }
  override execute(): number {
    return this.width;
  }
}
const crop = task({ name: 'crop', execute: () => 1 });
const scale = taskFactory('scale', (factor: number) => task({ name: `scale by ${factor}`, execute: () => factor }));

describe('the address of a task', () => {
  it.each([
    ['made of functions is its name', crop, ['crop', '1.0', []]],
    ['that maps is its name', mapTask((value: number) => value, { name: 'map', requires: ['x'] }), ['map', '1.0', []]],
    ['of a class is that of the class, with the name', new Resize({ name: 'a' }), ['Resize', '1.0', [{ name: 'a' }]]],
    ['of a class may say more', new Sized(7), ['sized', '2.1', [7]]],
    ['of a factory is that of the factory, with what it was made from', scale(3), ['scale', '1.0', [3]]],
    ['is that of its copies', scale(3).copy(), ['scale', '1.0', [3]]],
  ] as const)('%s', (_, atom, [name, version, parameters]) => {
    expect(addressOf(atom)).toEqual({ name, version, parameters });
  });
});

describe('a registry', () => {
  const registryOf = (...registered: Parameters<TaskRegistry['register']>) => {
    const registry = new TaskRegistry();
    for (const each of registered) registry.register(each);
    return registry;
  };

  it('makes again what it knows, from an address that was copied', () => {
    for (const [registered, atom] of [
      [crop, crop],
      [Resize, new Resize({ name: 'a' })],
      [new Resize(), new Resize({ name: 'a' })],
      [Sized, new Sized(7)],
      [scale, scale(3)],
      [scale(1), scale(3)],
    ] as const) {
      const made = registryOf(registered).make(structuredClone(addressOf(atom)));
      expect(made.name).toBe(atom.name);
      expect(made.execute({}, undefined as never)).toBe(atom.execute({}, undefined as never));
    }
  });

  it('takes everything that a module exports, and leaves out what is no task', () => {
    const registry = new TaskRegistry();
    registry.registerExports({
      crop,
      again: crop,
      Resize,
      scale,
      small: new Resize(),
      text: 'x',
      f: () => 1,
      none: null,
    });
    expect(registry.listings().map(({ name }) => name)).toEqual(['crop', 'Resize', 'scale']);
  });

  it('takes several versions of one task, and no two of the same', () => {
    const version = (text: string) => task({ name: 'crop', version: text, execute: () => text });
    const registry = new TaskRegistry();
    registry.register(version('1.0'));
    registry.register(version('2.0'));
    expect(registry.make({ name: 'crop', version: '2.0', parameters: [] }).version).toBe('2.0');
    expect(() => registry.register(version('2.0'))).toThrow(DuplicateError);
    expect(() => registry.make({ name: 'crop', version: '3.0', parameters: [] })).toThrow(
      "'crop' version 3.0 is not registered, but version 1.0, 2.0 of it",
    );
  });

  it('takes nothing else', () => {
    const registry = new TaskRegistry();
    for (const given of [7, null, 'crop', () => crop, class {}]) {
      expect(() => registry.register(given as never)).toThrow(TypeError);
    }
    const [anonymous] = [class extends Resize {}].map((each) => Object.defineProperty(each, 'name', { value: '' }));
    expect(() => registry.register(anonymous!)).toThrow(/a class with a name/);
    expect(() => taskFactory('', () => crop)).toThrow(/name of a task factory/);
  });
});
