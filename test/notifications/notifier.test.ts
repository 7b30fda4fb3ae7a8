import { describe, expect, it, vi } from 'vitest';

import { ANY, Notifier, RestrictedNotifier } from '../../src/notifications/notifier.js';
import type { Listener } from '../../src/notifications/notifier.js';

type Details = Record<string, unknown>;

/** A listener that notes what it hears under a name. */
function listenerInto(heard: unknown[], name: string): Listener<Details> {
  return (event) => heard.push(`${name}: ${event}`);
}

describe('Notifier', () => {
  it('tells the listeners of the event, and no others', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    const other = vi.fn();
    notifier.register('SUCCESS', listener);
    notifier.register('FAILURE', other);
    notifier.notify('SUCCESS', { a: 1 });
    expect(listener.mock.calls).toEqual([['SUCCESS', { a: 1 }]]);
    expect(other).not.toHaveBeenCalled();
  });

  it('gives empty details when there are none', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    notifier.register('SUCCESS', listener);
    notifier.notify('SUCCESS');
    expect(listener).toHaveBeenCalledWith('SUCCESS', {});
  });

  it('tells listeners of every event of each', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    notifier.register(ANY, listener);
    notifier.notify('SUCCESS', { a: 1 });
    notifier.notify('FAILURE', { b: 2 });
    expect(listener.mock.calls).toEqual([
      ['SUCCESS', { a: 1 }],
      ['FAILURE', { b: 2 }],
    ]);
  });

  it('tells nobody of an event called *', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    notifier.register(ANY, listener);
    notifier.notify(ANY, {});
    expect(listener).not.toHaveBeenCalled();
    expect(notifier.canTrigger(ANY)).toBe(false);
    expect(notifier.canTrigger('SUCCESS')).toBe(true);
  });

  it('tells those of every event first, each group in the order of registration', () => {
    const notifier = new Notifier();
    const heard: unknown[] = [];
    notifier.register('E', listenerInto(heard, 'own 1'));
    notifier.register(ANY, listenerInto(heard, 'any 1'));
    notifier.register('E', listenerInto(heard, 'own 2'));
    notifier.register(ANY, listenerInto(heard, 'any 2'));
    notifier.notify('E');
    expect(heard).toEqual(['any 1: E', 'any 2: E', 'own 1: E', 'own 2: E']);
  });

  it('gives each listener a copy of the details', () => {
    const notifier = new Notifier();
    const given = { list: [1], a: 1 };
    const listener = vi.fn();
    notifier.register('E', (_, details) => {
      details['a'] = 'changed';
    });
    notifier.register('E', listener);
    notifier.notify('E', given);
    expect(listener).toHaveBeenCalledWith('E', { list: [1], a: 1 });
    expect(listener.mock.calls[0]?.[1]).toHaveProperty('list', given.list);
    expect(given.a).toBe(1);
  });

  it('tells only of details that the filter lets through', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    notifier.register('E', listener, { filter: (details) => details['task'] === 'a' });
    notifier.notify('E', { task: 'b' });
    notifier.notify('E', { task: 'a' });
    notifier.notify('E');
    expect(listener.mock.calls).toEqual([['E', { task: 'a' }]]);
  });

  it('calls any event by its name', () => {
    const notifier = new Notifier();
    const heard: unknown[] = [];
    for (const event of ['', '__proto__', 'constructor', 'x y']) {
      notifier.register(event, (name) => heard.push(name));
      notifier.notify(event);
    }
    expect(heard).toEqual(['', '__proto__', 'constructor', 'x y']);
  });
});

describe('the listeners of a notification', () => {
  it.each(['E', ANY])('are settled before the first is called (registered for %s)', (event) => {
    const notifier = new Notifier();
    const heard: unknown[] = [];
    const late = listenerInto(heard, 'late');
    const last = listenerInto(heard, 'last');
    notifier.register(event, () => {
      heard.push('first');
      notifier.register('E', late);
      notifier.register(ANY, late);
      notifier.deregister('E', last);
    });
    notifier.register('E', last);
    notifier.notify('E');
    expect(heard).toEqual(['first', 'last: E']);
  });

  it('may notify in turn', () => {
    const notifier = new Notifier();
    const heard: unknown[] = [];
    notifier.register('A', () => {
      notifier.notify('B');
    });
    notifier.register('B', listenerInto(heard, 'b'));
    notifier.register('A', listenerInto(heard, 'a'));
    notifier.notify('A');
    expect(heard).toEqual(['b: B', 'a: A']);
  });
});

describe('a listener that fails (D17)', () => {
  it.each(['E', ANY])('stops nobody and is reported (registered for %s)', (event) => {
    const notifier = new Notifier();
    const error = new Error('bad listener');
    const others = [vi.fn(), vi.fn()] as const;
    notifier.onListenerError = vi.fn();
    notifier.register(event, () => {
      throw error;
    });
    notifier.register(event, others[0]);
    notifier.register('E', others[1]);
    notifier.notify('E');
    expect(others[0]).toHaveBeenCalledOnce();
    expect(others[1]).toHaveBeenCalledOnce();
    expect(notifier.onListenerError).toHaveBeenCalledExactlyOnceWith(error, 'E');
  });

  it('is reported when its filter fails', () => {
    const notifier = new Notifier();
    const error = new Error('bad filter');
    const listener = vi.fn();
    notifier.onListenerError = vi.fn();
    notifier.register('E', listener, {
      filter: () => {
        throw error;
      },
    });
    notifier.notify('E');
    expect(listener).not.toHaveBeenCalled();
    expect(notifier.onListenerError).toHaveBeenCalledExactlyOnceWith(error, 'E');
  });

  it('is reported when its promise is rejected, and is not waited for', async () => {
    const notifier = new Notifier();
    const error = new Error('bad later');
    const other = vi.fn();
    notifier.onListenerError = vi.fn();
    notifier.register('E', () => Promise.reject(error));
    notifier.register('E', other);
    notifier.notify('E');
    expect(other).toHaveBeenCalledOnce();
    expect(notifier.onListenerError).not.toHaveBeenCalled();
    await vi.waitFor(() => {
      expect(notifier.onListenerError).toHaveBeenCalledExactlyOnceWith(error, 'E');
    });
  });

  it('harms nobody when no one, or one who fails too, takes the report', async () => {
    const notifier = new Notifier();
    notifier.register('E', () => {
      throw new Error('bad listener');
    });
    notifier.register('E', () => Promise.reject(new Error('bad later')));
    notifier.notify('E');
    notifier.onListenerError = () => {
      throw new Error('bad report');
    };
    notifier.notify('E');
    // An unhandled rejection would fail the run of the tests.
    await Promise.resolve();
  });
});

describe('registering', () => {
  it('refuses what is no function', () => {
    const notifier = new Notifier();
    // @ts-expect-error no function
    expect(() => notifier.register('E', 2)).toThrow(new TypeError('listener takes a function, got number'));
    // @ts-expect-error no function
    expect(() => notifier.register('E', () => undefined, { filter: 'a' })).toThrow(
      new TypeError('filter takes a function, got string'),
    );
    expect(notifier.size).toBe(0);
  });

  it('refuses the same listener with the same filter twice', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    const filter = () => true;
    notifier.register('E', listener);
    notifier.register('E', listener, { filter });
    notifier.register('F', listener);
    expect(() => notifier.register('E', listener)).toThrow(RangeError);
    expect(() => notifier.register('E', listener, { filter })).toThrow(RangeError);
    expect(notifier.size).toBe(3);
  });

  it('takes one listener with two filters as two', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    const even = ({ n }: Details) => Number(n) % 2 === 0;
    const big = ({ n }: Details) => Number(n) > 10;
    notifier.register('E', listener, { filter: even });
    notifier.register('E', listener, { filter: big });
    for (const n of [1, 2, 11, 12]) notifier.notify('E', { n });
    expect(listener.mock.calls).toEqual([2, 11, 12, 12].map((n) => ['E', { n }]));
    expect(notifier.deregister('E', listener, { filter: even })).toBe(true);
    expect(notifier.registered('E', listener, { filter: big })).toBe(true);
  });

  it('is asked for under exactly the event', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    notifier.register(ANY, listener);
    expect(notifier.registered(ANY, listener)).toBe(true);
    expect(notifier.registered('E', listener)).toBe(false);
    expect(notifier.registered(ANY, listener, { filter: () => true })).toBe(false);
  });

  it('counts registrations and lists them by event', () => {
    const notifier = new Notifier();
    const [a, b] = [vi.fn(), vi.fn()];
    expect(notifier.hasListeners).toBe(false);
    notifier.register('E', a);
    notifier.register(ANY, a);
    notifier.register('E', b);
    notifier.register('F', b);
    notifier.deregister('F', b);
    expect(notifier.size).toBe(3);
    expect(notifier.hasListeners).toBe(true);
    expect([...notifier.listeners()]).toEqual([
      ['E', [a, b]],
      [ANY, [a]],
    ]);
  });
});

describe('deregistering', () => {
  it('ends what was registered, and says whether there was anything', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    notifier.register('E', listener);
    expect(notifier.deregister('F', listener)).toBe(false);
    expect(notifier.deregister('E', vi.fn())).toBe(false);
    expect(notifier.deregister('E', listener, { filter: () => true })).toBe(false);
    expect(notifier.deregister('E', listener)).toBe(true);
    expect(notifier.deregister('E', listener)).toBe(false);
    expect(notifier.size).toBe(0);
    notifier.notify('E');
    expect(listener).not.toHaveBeenCalled();
  });

  it('works with bound methods that are kept', () => {
    class Counter {
      count = 0;
      readonly increment = () => {
        this.count += 1;
      };
    }
    const [one, two] = [new Counter(), new Counter()];
    const notifier = new Notifier();
    notifier.register('E', one.increment);
    notifier.register('E', two.increment);
    notifier.notify('E');
    expect(notifier.deregister('E', one.increment)).toBe(true);
    notifier.notify('E');
    expect([one.count, two.count]).toEqual([1, 2]);
  });

  it('ends a registration that is disposed of, and no later one', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    const registration = notifier.register('E', listener);
    registration[Symbol.dispose]();
    expect(notifier.size).toBe(0);
    notifier.register('E', listener);
    registration[Symbol.dispose]();
    expect(notifier.size).toBe(1);
  });

  it('ends all of an event', () => {
    const notifier = new Notifier();
    const kept = vi.fn();
    notifier.register('E', vi.fn());
    notifier.register('E', vi.fn());
    notifier.register(ANY, kept);
    expect(notifier.deregisterEvent('E')).toBe(2);
    expect(notifier.deregisterEvent('E')).toBe(0);
    expect(notifier.size).toBe(1);
    expect(notifier.deregisterEvent(ANY)).toBe(1);
    notifier.register('E', kept);
    notifier.notify('E');
    expect(kept).toHaveBeenCalledOnce();
  });

  it('ends everything', () => {
    const notifier = new Notifier();
    const listener = vi.fn();
    notifier.register('E', listener);
    notifier.register(ANY, listener);
    notifier.reset();
    expect(notifier.size).toBe(0);
    notifier.notify('E');
    expect(listener).not.toHaveBeenCalled();
    notifier.register('E', listener);
    notifier.notify('E');
    expect(listener).toHaveBeenCalledOnce();
  });
});

describe('a copy', () => {
  it('has the same listeners, and changes alone', () => {
    const notifier = new Notifier();
    const [listener, added, onListenerError] = [vi.fn(), vi.fn(), vi.fn()];
    const filter = ({ n }: Details) => n === 1;
    notifier.onListenerError = onListenerError;
    notifier.register('E', listener, { filter });
    const copy = notifier.copy();
    copy.register('E', added);
    expect(copy.registered('E', listener, { filter })).toBe(true);
    expect([notifier.size, copy.size]).toEqual([1, 2]);
    notifier.reset();
    copy.notify('E', { n: 1 });
    copy.notify('E', { n: 2 });
    expect(listener).toHaveBeenCalledOnce();
    expect(copy.onListenerError).toBe(onListenerError);
  });

  it('is restricted when the original is', () => {
    const copy = new RestrictedNotifier(['E'], { allowAny: false }).copy();
    expect([...copy.events]).toEqual(['E']);
    expect(copy.canBeRegistered('F')).toBe(false);
    expect(copy.canBeRegistered(ANY)).toBe(false);
  });
});

describe('RestrictedNotifier', () => {
  it('registers for the events named and for *', () => {
    const notifier = new RestrictedNotifier(['update_progress', 'done', ANY]);
    notifier.register('update_progress', vi.fn());
    notifier.register(ANY, vi.fn());
    expect(() => notifier.register('other', vi.fn())).toThrow(
      new RangeError('event takes one of update_progress, done, *, got other'),
    );
    expect(notifier.size).toBe(2);
    expect([...notifier.events]).toEqual(['update_progress', 'done']);
  });

  it('does not register for * when told so', () => {
    const notifier = new RestrictedNotifier(['done'], { allowAny: false });
    expect(() => notifier.register(ANY, vi.fn())).toThrow(new RangeError('event takes one of done, got *'));
    expect(() => new RestrictedNotifier([], { allowAny: false }).register('a', vi.fn())).toThrow('takes nothing');
  });

  it('notifies of events that are not named', () => {
    const notifier = new RestrictedNotifier(['done']);
    const listener = vi.fn();
    notifier.register(ANY, listener);
    notifier.notify('other', { a: 1 });
    expect(listener).toHaveBeenCalledExactlyOnceWith('other', { a: 1 });
  });
});
