import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonText } from '../../src/cli/json-text.js';
import { date, duration, namedValue, oneOf, severalValues, someOf, wholeNumber } from '../../src/cli/option-values.js';
import { chooseStore, DEFAULT_STORE, shownStore } from '../../src/cli/store-choice.js';
import { placeNamed, placeOf } from '../../src/cli/user-module.js';

describe('the values of options', () => {
  it('are durations in words', () => {
    expect(['500ms', '90s', '1.5h', '15m', '30d', '0s'].map(duration)).toEqual([
      500, 90_000, 5_400_000, 900_000, 2_592_000_000, 0,
    ]);
    for (const wrong of ['', '5', '5 s', '-1s', '1w', 's', '1e3s'])
      expect(() => duration(wrong)).toThrow(InvalidArgumentError);
  });

  it('are dates, whole numbers, and one or some of several names', () => {
    expect(date('2026-11-22')).toBe(Date.UTC(2026, 10, 22));
    expect(() => date('tomorrow')).toThrow('It takes a date such as');
    expect(wholeNumber('12')).toBe(12);
    for (const wrong of ['0', '1.5', '-1', '1e3', 'x'])
      expect(() => wholeNumber(wrong)).toThrow('It takes a whole number');
    expect(oneOf(['dot', 'svg'])('dot')).toBe('dot');
    expect(() => oneOf(['dot', 'svg'])('dott')).toThrow('It takes one of dot, svg. Did you mean dot?');
    expect(someOf(['dot', 'svg'])('dot, svg', ['svg'])).toEqual(['svg', 'dot', 'svg']);
  });

  it('are JSON, or text where they are not', () => {
    const read = (...given: string[]) =>
      given.reduce((before, each) => namedValue(each, before), new Map<string, unknown>());
    expect(Object.fromEntries(read('a=1', 'b={"c":[true]}', 'd=LH 400', 'e=', 'f=x=y', 'g="1"'))).toEqual({
      a: 1,
      b: { c: [true] },
      d: 'LH 400',
      e: '',
      f: 'x=y',
      g: '1',
    });
    expect(severalValues('null', ['x'])).toEqual(['x', null]);
    expect(() => namedValue('flight')).toThrow('It takes NAME=VALUE.');
    expect(() => read('a=1', 'a=2')).toThrow('It takes each name once, got a twice.');
  });
});

describe('a document', () => {
  it('is what JSON makes of what JSON has words for', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('has text for what JSON has no words for, and objects that are there twice', () => {
    const shared = { x: 1 };
    const cycle: Record<string, unknown> = { shared, again: shared, big: 12n, when: new Date(0) };
    cycle['self'] = cycle;
    expect(JSON.parse(jsonText({ cycle, map: new Map([['a', 1]]), bytes: new Uint8Array(2) }))).toEqual({
      cycle: {
        shared,
        again: shared,
        big: '12n',
        when: '1970-01-01T00:00:00.000Z',
        self: expect.stringContaining('shared') as string,
      },
      map: "Map(1) { 'a' => 1 }",
      bytes: 'Uint8Array(2) [ 0, 0 ]',
    });
  });
});

describe('the store', () => {
  const platform = (env: Record<string, string>) =>
    ({ env, cwd: '/home/ann' }) as unknown as Parameters<typeof chooseStore>[1];

  it('is that of the option, then that of the environment, then a file in this folder', () => {
    expect(chooseStore('dir:runs', platform({ FLOWSTATE_BACKEND: 'memory' }))).toEqual({
      text: 'dir:runs',
      source: 'option',
      path: '/home/ann/runs',
    });
    expect(chooseStore(undefined, platform({ FLOWSTATE_BACKEND: 'memory' }))).toMatchObject({
      text: 'memory',
      path: null,
    });
    expect(chooseStore(undefined, platform({ FLOWSTATE_BACKEND: '' }))).toEqual({
      text: DEFAULT_STORE,
      source: 'default',
      path: '/home/ann/flowstate.db',
    });
    expect(chooseStore('sqlite::memory:', platform({})).path).toBeNull();
    expect(chooseStore('postgresql://db/trips', platform({})).path).toBeNull();
  });

  it('is shown without its password', () => {
    const shown = (text: string) => shownStore(chooseStore(text, platform({})));
    expect(shown('postgresql://ann:s3cr@t@db:5432/trips?schema=a')).toBe('postgresql://ann:***@db:5432/trips?schema=a');
    expect(shown('postgresql://ann@db/trips')).toBe('postgresql://ann@db/trips');
    expect(shown('sqlite:a@b:c.db')).toBe('sqlite:a@b:c.db');
  });
});

describe('a module', () => {
  it('is a path, and one of its exports behind #', () => {
    expect(placeOf('flows/trip.js', '/home/ann')).toEqual({ path: '/home/ann/flows/trip.js', exportName: 'default' });
    expect(placeOf('trip.js#other', '/home/ann')).toEqual({ path: '/home/ann/trip.js', exportName: 'other' });
  });

  it('is named by a URL of a file and an export', () => {
    expect(placeNamed('file:///home/ann/a%23b.js#default')).toEqual({
      path: '/home/ann/a#b.js',
      exportName: 'default',
    });
    for (const name of ['trips/by-name@1', 'data:text/javascript,1#default', 'file:///a.js', 'file://host/a.js#b']) {
      expect(placeNamed(name)).toBeNull();
    }
  });
});
