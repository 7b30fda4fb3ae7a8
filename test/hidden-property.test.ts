import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { copyOf, setHidden } from '../src/hidden-property.js';
import { Notifier } from '../src/notifications/notifier.js';

describe('a hidden property', () => {
  it('is read by its name, and shown nowhere', () => {
    const details: { name: string; result?: string } = setHidden({ name: 'a' }, 'result', 'hunter2');
    expect(details.result).toBe('hunter2');
    expect('result' in details).toBe(true);
    expect([inspect(details), JSON.stringify(details), { ...details }]).toEqual([
      "{ name: 'a' }",
      '{"name":"a"}',
      { name: 'a' },
    ]);
  });

  it('stays hidden in a copy, and in a copy of that', () => {
    const original: { name: string; result?: string } = setHidden({ name: 'a' }, 'result', 'hunter2');
    const copy = copyOf(copyOf(original));
    expect([copy.result, Object.keys(copy)]).toEqual(['hunter2', ['name']]);
    copy.name = 'b';
    copy.result = 'other';
    expect([original.name, original.result]).toEqual(['a', 'hunter2']);
    expect(copyOf(undefined)).toEqual({});
  });

  it('comes to every listener, each of which has a copy of its own', () => {
    const notifier = new Notifier<{ result?: string }>();
    const heard: unknown[] = [];
    for (const name of ['first', 'second']) {
      notifier.register('SUCCESS', (_, details) => {
        heard.push([name, details.result, Object.keys(details)]);
        details.result = 'changed';
      });
    }
    notifier.notify('SUCCESS', setHidden({}, 'result', 'hunter2'));
    expect(heard).toEqual([
      ['first', 'hunter2', []],
      ['second', 'hunter2', []],
    ]);
  });
});
