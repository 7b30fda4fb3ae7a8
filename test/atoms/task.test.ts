import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { taskClass } from '../../src/atoms/task-class.js';
import { type ArgumentsOf } from '../../src/atoms/declared-types.js';
import { Task, type TaskContext, UPDATE_PROGRESS } from '../../src/atoms/task.js';
import { Notifier } from '../../src/notifications/notifier.js';
import { typed } from '../../src/atoms/validators.js';

class Reserve extends Task {
  override execute(): string {
    return 'reserved';
  }
}

const context: TaskContext = {
  atom: 't',
  signal: new AbortController().signal,
  idempotencyKey: 'key',
  progress: () => undefined,
  notify: () => undefined,
};

describe('the name of a task', () => {
  it('is the one given', () => {
    expect(new Reserve({ name: 'outbound' }).name).toBe('outbound');
  });

  it('is that of its class, when none is given', () => {
    expect(new Reserve().name).toBe('Reserve');
  });

  it('is what the class wants its instances to be called', () => {
    class Renamed extends Reserve {
      static override readonly typeName = 'flights.reserve';
    }
    expect(new Renamed().name).toBe('flights.reserve');
  });

  it('is that of the function that it executes', () => {
    function reserve(): null {
      return null;
    }
    expect(task({ execute: reserve }).name).toBe('reserve');
  });

  it('has to be given for a function that is written in place', () => {
    expect(() => task({ execute: () => null })).toThrow(TypeError);
    expect(() => task({ execute: () => null })).toThrow('name of a task takes text');
  });

  it.each([[''], [5]])('cannot be %j', (name) => {
    expect(() => new Reserve({ name: name as string })).toThrow(TypeError);
  });

  it('is in its text form, with its version', () => {
    const made = new Reserve({ name: 'a', version: '2.1' });
    expect(String(made)).toBe('"a==2.1"');
    expect(inspect(made)).toBe('<Reserve "a==2.1">');
    expect(String(new Reserve({ name: 'a' }))).toBe('"a==1.0"');
  });
});

describe('a task', () => {
  it('has a version, 1.0 unless it is given', () => {
    expect(new Reserve().version).toBe('1.0');
    expect(task({ name: 't', version: '3.11', execute: () => null }).version).toBe('3.11');
  });

  it.each([['one'], [''], ['1.'], [2]])('refuses the version %j', (version) => {
    expect(() => new Reserve({ version: version as string })).toThrow(RangeError);
    expect(() => new Reserve({ version: version as string })).toThrow(
      "version of task 'Reserve' takes numbers with dots",
    );
  });

  it('has a priority, 0 unless it is given, and it can be changed', () => {
    const made = new Reserve();
    expect(made.priority).toBe(0);
    made.priority = 5;
    expect(made.priority).toBe(5);
    expect(new Reserve({ priority: -1 }).priority).toBe(-1);
    expect(() => new Reserve({ priority: Number.NaN })).toThrow("priority of task 'Reserve' takes a number, got NaN");
  });

  it('does nothing when it is reverted, unless it says how', () => {
    expect(new Reserve().revert({}, context)).toBeNull();
  });
});

describe('a task made from functions', () => {
  it('calls them, with arguments and context', async () => {
    const revert = vi.fn(() => 'undone');
    const made: Task = task({ name: 't', requires: ['x'], execute: async ({ x }, { atom }) => [x, atom], revert });
    await expect(made.execute({ x: 1 }, context)).resolves.toEqual([1, 't']);
    const input = { x: 1, result: 2, flowFailures: new Map() };
    expect(made.revert(input, context)).toBe('undone');
    expect(revert).toHaveBeenCalledWith(input, context);
  });

  it('leaves out hooks that are not given, so that nobody calls them', () => {
    const made = task({ name: 't', execute: () => null, preExecute: () => undefined });
    expect(made.preExecute).not.toBe(Task.prototype.preExecute);
    expect(made.postExecute).toBe(Task.prototype.postExecute);
    expect(made.preRevert).toBe(Task.prototype.preRevert);
    expect(made.postRevert).toBe(Task.prototype.postRevert);
    expect(made.revert).toBe(Task.prototype.revert);
  });

  it('calls the hooks that are given', () => {
    const calls: string[] = [];
    const hook = (name: string) => () => void calls.push(name);
    const made = task({
      name: 't',
      execute: () => null,
      preExecute: hook('preExecute'),
      postExecute: hook('postExecute'),
      preRevert: hook('preRevert'),
      postRevert: hook('postRevert'),
    });
    void made.preExecute();
    void made.postExecute();
    void made.preRevert();
    void made.postRevert();
    expect(calls).toEqual(['preExecute', 'postExecute', 'preRevert', 'postRevert']);
  });

  it.each(['execute', 'revert', 'preExecute', 'postExecute', 'preRevert', 'postRevert'])(
    'refuses %s that is no function',
    (option) => {
      const declaration = { name: 't', execute: () => null, [option]: 'nothing' };
      expect(() => task(declaration)).toThrow(new RangeError(`${option} of task 't' takes a function, got "nothing"`));
    },
  );

  it('refuses to be without execute', () => {
    expect(() => task({ name: 't' } as never)).toThrow(
      new RangeError("execute of task 't' takes a function, got undefined"),
    );
    expect(() => task({} as never)).toThrow('execute of a task without a name');
  });
});

describe('a declared class of tasks', () => {
  class Book extends taskClass({
    requires: { flight: typed<string>() },
    optional: ['seat'],
    provides: { booking: typed<string>() },
    revertRequires: ['reason'],
  }) {
    override execute({ flight }: ArgumentsOf<Book>): string {
      return flight;
    }
  }

  it('has instances that all require and provide the same', () => {
    const made = new Book();
    expect(made.name).toBe('Book');
    expect([...made.requires]).toEqual(['flight', 'reason']);
    expect([...made.executeMapping.optional]).toEqual(['seat']);
    expect([...made.saveAs]).toEqual([['booking', null]]);
    expect(made.execute({ flight: 'LH 400' })).toBe('LH 400');
  });

  it('has instances with names and priorities of their own', () => {
    const made = new Book({ name: 'return', priority: 2 });
    expect([made.name, made.priority]).toEqual(['return', 2]);
  });
});

describe('progress', () => {
  function heard(made: Task): Record<string, unknown>[] {
    const details: Record<string, unknown>[] = [];
    made.notifier.register(UPDATE_PROGRESS, (_event, each) => details.push(each));
    return details;
  }

  it('is told to listeners, with details', () => {
    const made = new Reserve();
    const details = heard(made);
    for (const progress of [0, 0.5, 1]) made.updateProgress(progress);
    made.updateProgress(0.7, { rows: 7, progress: 'hidden' });
    expect(details).toEqual([{ progress: 0 }, { progress: 0.5 }, { progress: 1 }, { progress: 0.7, rows: 7 }]);
    expect(made.progressWarnings).toBe(0);
  });

  it('is kept from 0 to 1, with one warning for each time', () => {
    const made = new Reserve();
    const details = heard(made);
    for (const progress of [-1, -0.5, 2, Number.POSITIVE_INFINITY, 0.5]) made.updateProgress(progress);
    expect(details.map(({ progress }) => progress)).toEqual([0, 0, 1, 1, 0.5]);
    expect(made.progressWarnings).toBe(4);
  });

  it('has to be a number', () => {
    expect(() => new Reserve().updateProgress(Number.NaN)).toThrow(TypeError);
    expect(() => new Reserve().updateProgress('half' as never)).toThrow(
      `progress of task 'Reserve' takes a number from 0 to 1, got "half"`,
    );
  });

  it('does not end in an error of a listener', () => {
    const made = new Reserve();
    const errors: unknown[] = [];
    made.notifier.onListenerError = (error) => errors.push(error);
    made.notifier.register(UPDATE_PROGRESS, () => {
      throw new Error('Woot!');
    });
    made.updateProgress(0.5);
    expect(errors).toEqual([new Error('Woot!')]);
  });

  it('costs no notifier when nobody listens', () => {
    const made = new Reserve();
    made.updateProgress(0.5);
    expect(made.hasListeners).toBe(false);
    expect(Object.values(made).some((value) => value instanceof Notifier)).toBe(false);
    heard(made);
    expect(made.hasListeners).toBe(true);
  });
});

describe('the notifier of a task', () => {
  it('knows the event of progress, and those that the task adds', () => {
    const made = task({ name: 't', events: ['tick'], execute: () => null });
    expect(made.notifier.canBeRegistered(UPDATE_PROGRESS)).toBe(true);
    expect(made.notifier.canBeRegistered('tick')).toBe(true);
    expect(made.notifier.canBeRegistered('*')).toBe(true);
    expect(made.notifier.canBeRegistered('tock')).toBe(false);
  });

  it('knows the events of the class', () => {
    class Ticking extends Reserve {
      static override readonly taskEvents = ['tick'];
    }
    expect(new Ticking().notifier.canBeRegistered('tick')).toBe(true);
    expect(new Ticking().notifier.canBeRegistered(UPDATE_PROGRESS)).toBe(false);
  });

  it.each([[null], ['a string']])('refuses the listener %j', (listener) => {
    expect(() => new Reserve().notifier.register(UPDATE_PROGRESS, listener as never)).toThrow(TypeError);
  });

  it('deregisters all listeners of an event, if there are any', () => {
    const { notifier } = new Reserve();
    expect(notifier.deregisterEvent(UPDATE_PROGRESS)).toBe(0);
    notifier.register(UPDATE_PROGRESS, () => undefined);
    expect(notifier.deregisterEvent(UPDATE_PROGRESS)).toBe(1);
    expect(notifier.hasListeners).toBe(false);
  });

  it('leaves other listeners alone when one is deregistered that it does not know', () => {
    const { notifier } = new Reserve();
    const known = () => undefined;
    notifier.register(UPDATE_PROGRESS, known);
    expect(notifier.deregister(UPDATE_PROGRESS, () => undefined)).toBe(false);
    expect(notifier.registered(UPDATE_PROGRESS, known)).toBe(true);
  });
});

describe('a copy of a task', () => {
  it('is the same, with the same listeners, and hears of nothing that the other tells', () => {
    const made = new Reserve({ name: 'a', provides: 'x', priority: 3 });
    const heard: string[] = [];
    made.notifier.register(UPDATE_PROGRESS, () => heard.push('both'));
    const copy = made.copy();
    expect(copy).toBeInstanceOf(Reserve);
    expect([copy.name, copy.priority, copy.saveAs]).toEqual(['a', 3, made.saveAs]);
    expect(copy.notifier).not.toBe(made.notifier);
    copy.notifier.register(UPDATE_PROGRESS, () => heard.push('copy'));
    made.updateProgress(0.5);
    expect(heard).toEqual(['both']);
    copy.updateProgress(0.5);
    expect(heard).toEqual(['both', 'both', 'copy']);
  });

  it('goes without listeners when asked to', () => {
    const made = new Reserve();
    made.notifier.register(UPDATE_PROGRESS, () => undefined);
    expect(made.copy({ retainListeners: false }).hasListeners).toBe(false);
    expect(made.hasListeners).toBe(true);
  });

  it('works for tasks made from functions', () => {
    const copy: Task = task({ name: 't', requires: ['x'], execute: ({ x }) => x }).copy();
    expect(copy.execute({ x: 5 }, context)).toBe(5);
  });
});
