import { runInNewContext } from 'node:vm';

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { DuplicateError, InvalidFormatError, MissingDependenciesError, NotFoundError } from '../src/errors.js';
import { Failure, formatError, registerErrorClass, throwFailures, WrappedFailureError } from '../src/failure.js';

class DiskError extends Error {}
class DiskFullError extends DiskError {
  readonly disk: string;

  constructor(message: string, disk: string, options?: ErrorOptions) {
    super(message, options);
    this.disk = disk;
  }
}

/** What a failure is after storage, or after the way from another process. */
function stored(failure: Failure): Failure {
  const record: unknown = JSON.parse(JSON.stringify(failure));
  return Failure.fromRecord(record);
}

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const live = Failure.from(new DiskFullError('Woot!', 'sda'));

describe.each([
  ['a live failure', live],
  ['a failure read from storage', stored(live)],
  ['a copy of a live failure', live.copy()],
  ['a copy of a stored failure', stored(live).copy()],
])('%s', (_, failure) => {
  it('has the message', () => {
    expect(failure.message).toBe('Woot!');
  });

  it('names the types, most specific first and Error last', () => {
    expect(failure.typeNames).toEqual(['DiskFullError', 'DiskError', 'Error']);
    expect(failure.name).toBe('DiskFullError');
  });

  it('is one line of text', () => {
    expect(String(failure)).toBe('Failure: DiskFullError: Woot!');
    expect(failure.format()).toBe('Failure: DiskFullError: Woot!');
  });

  it('shows the stack on request', () => {
    const text = failure.format({ stack: true });
    expect(text).toContain('Failure: DiskFullError: Woot!\nError: Woot!\n    at ');
    expect(text).toContain('failure.test.ts');
  });

  it('is checked by class and by name, inherited ones too', () => {
    expect(failure.check(DiskFullError)).toBe(DiskFullError);
    expect(failure.check(TypeError, DiskError)).toBe(DiskError);
    expect(failure.check('TypeError', 'Error', 'DiskError')).toBe('Error');
  });

  it('says null for types that the error is not of', () => {
    expect(failure.check(TypeError, 'RangeError')).toBeNull();
    expect(failure.check()).toBeNull();
  });

  it('keeps own enumerable properties', () => {
    expect(failure.properties).toEqual({ disk: 'sda' });
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(failure)).toBe(true);
    expect(Object.isFrozen(failure.typeNames)).toBe(true);
    expect(Object.isFrozen(failure.properties)).toBe(true);
    expect(Object.isFrozen(failure.causes)).toBe(true);
    expect(Object.isFrozen(failure.errors)).toBe(true);
  });

  it('matches every other form of the same failure', () => {
    for (const other of [live, stored(live), live.copy(), stored(live).copy()]) {
      expect(failure.matches(other)).toBe(true);
    }
  });
});

describe('a live failure', () => {
  it('keeps what was thrown and throws it again', () => {
    const error = new DiskError('Woot!');
    const failure = Failure.from(error);
    expect(failure.isLive).toBe(true);
    expect(failure.error).toBe(error);
    expect(thrownBy(() => failure.reraise())).toBe(error);
  });

  it('is given back as it is when it is recorded again', () => {
    expect(Failure.from(live)).toBe(live);
    expect(Failure.from(stored(live))).not.toBe(live);
  });

  it('shares the error with its copy', () => {
    expect(live.copy()).not.toBe(live);
    expect(live.copy().error).toBe(live.error);
  });

  it('matches a second record of the same error', () => {
    const error = new DiskError('Woot!');
    expect(Failure.from(error).matches(Failure.from(error))).toBe(true);
  });

  it('does not match another message, or what is no failure', () => {
    expect(live.matches(Failure.from(new DiskFullError('Not!', 'sda')))).toBe(false);
    expect(live.matches(null)).toBe(false);
    expect(live.matches(live.error)).toBe(false);
  });
});

describe('a failure read from storage', () => {
  it('has lost the error and throws a WrappedFailureError of itself', () => {
    const failure = stored(live);
    expect(failure.isLive).toBe(false);
    expect(failure).not.toHaveProperty('error');
    const thrown = thrownBy(() => failure.reraise());
    expect(thrown).toBeInstanceOf(WrappedFailureError);
    expect(thrown).toMatchObject({ failures: [failure] });
  });

  it('says so when there is no stack', () => {
    const failure = Failure.fromRecord({ version: 1, typeNames: ['Error'], message: 'gone', stack: null });
    expect(failure.stack).toBeNull();
    expect(failure.format({ stack: true })).toBe('Failure: Error: gone\nStack not available.');
  });

  it('keeps messages of any script', () => {
    const message = '\u05e9\u05d1\u05ea \u043f\u0440\u0438\u0432\u0435\u0442 \u{1f525} \ud800';
    expect(stored(Failure.from(new Error(message))).message).toBe(message);
  });
});

describe('the type names', () => {
  it('begin with a name that no class of the error has', () => {
    const error = Object.assign(new DiskError('m'), { name: 'EDISK' });
    expect(Failure.from(error).typeNames).toEqual(['EDISK', 'DiskError', 'Error']);
  });

  it('are those of a DOMException', () => {
    const failure = Failure.from(new DOMException('stopped', 'AbortError'));
    expect(failure.typeNames).toEqual(['AbortError', 'DOMException', 'Error']);
  });

  it('are Error alone for an Error', () => {
    expect(Failure.from(new Error('m')).typeNames).toEqual(['Error']);
  });

  it('leave out classes without a name', () => {
    expect(Failure.from(new (class extends DiskError {})('m')).typeNames).toEqual(['DiskError', 'Error']);
  });

  it('are found for errors of another realm', () => {
    const foreign: unknown = runInNewContext('new TypeError("far away")');
    expect(Failure.from(foreign).typeNames).toEqual(['TypeError', 'Error']);
  });

  it('are those of flowstate’s own errors', () => {
    const failure = Failure.from(new MissingDependenciesError('the flow', ['a', 'b']));
    expect(failure.typeNames).toEqual(['MissingDependenciesError', 'DependencyError', 'FlowstateError', 'Error']);
    expect(failure.properties).toEqual({ who: 'the flow', missing: ['a', 'b'] });
  });
});

describe('what is thrown and is no Error', () => {
  it.each([
    ['a string', 'a string'],
    ['undefined', undefined],
    ['null', null],
    ['42', 42],
    ['Symbol(s)', Symbol('s')],
    ['[object Object]', {}],
    ['1,2', [1, 2]],
  ])('is an Error with the message %s, and stays live', (message, thrown) => {
    const failure = Failure.from(thrown);
    expect(failure.typeNames).toEqual(['Error']);
    expect(failure.message).toBe(message);
    expect(failure.stack).toBeNull();
    expect(failure.isLive).toBe(true);
    expect(failure.error).toBe(thrown);
    expect(thrownBy(() => failure.reraise())).toBe(thrown);
    expect(stored(failure).matches(failure)).toBe(true);
  });

  it('keeps message, code and properties of an object', () => {
    const failure = Failure.from({ message: 'm', code: 7, at: [1, { x: null }] });
    expect(failure).toMatchObject({ message: 'm', code: 7, properties: { at: [1, { x: null }] } });
  });

  it('may refuse every way to read it', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const textless = {
      toString: () => {
        throw new Error('no text');
      },
    };
    for (const thrown of [proxy, textless, Object.create(null)]) {
      const failure = Failure.from(thrown);
      expect(failure.message).toBe('something that has no text form');
      expect(failure.causes).toEqual([]);
      expect(failure.errors).toEqual([]);
      expect(Failure.fromRecord(failure.toRecord()).matches(failure)).toBe(true);
      expect(new WrappedFailureError([failure]).failures).toEqual([failure]);
    }
  });
});

describe('code and properties (B6)', () => {
  it('keeps a code that is text or a number', () => {
    expect(stored(Failure.from(Object.assign(new Error('m'), { code: 'ENOENT', errno: -2 })))).toMatchObject({
      code: 'ENOENT',
      properties: { errno: -2 },
    });
    expect(stored(Failure.from(Object.assign(new Error('m'), { code: 404 }))).code).toBe(404);
  });

  it('keeps another code as a property', () => {
    const failure = Failure.from(Object.assign(new Error('m'), { code: { family: 'disk' } }));
    expect(failure.code).toBeUndefined();
    expect(failure.properties).toEqual({ code: { family: 'disk' } });
  });

  it('leaves out what JSON would change or lose', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    const error = Object.assign(new Error('m'), {
      kept: { list: [1, 'two', true, null] },
      date: new Date(0),
      map: new Map(),
      nothing: undefined,
      notANumber: [Number.NaN],
      holes: new Array<number>(2),
      act: () => 1,
      big: 1n,
      cyclic,
    });
    expect(Failure.from(error).properties).toEqual({ kept: { list: [1, 'two', true, null] } });
  });

  it('leaves out a property that throws when it is read', () => {
    const error = new Error('m');
    Object.defineProperty(error, 'bad', {
      enumerable: true,
      get: () => {
        throw new Error('unreadable');
      },
    });
    Object.defineProperty(error, 'good', { enumerable: true, get: () => 1 });
    expect(Failure.from(error).properties).toEqual({ good: 1 });
  });

  it('leaves out what would explode', () => {
    let shared: unknown = {};
    for (let depth = 0; depth < 40; depth += 1) shared = [shared, shared];
    expect(Failure.from(Object.assign(new Error('m'), { shared, small: 1 })).properties).toEqual({ small: 1 });
  });

  it('keeps a key called __proto__ a key', () => {
    const properties: unknown = JSON.parse('{"__proto__": {"polluted": true}}');
    const error = Object.assign(new Error('m'), { nested: properties });
    const failure = stored(Failure.from(error));
    expect(JSON.stringify(failure.properties)).toBe('{"nested":{"__proto__":{"polluted":true}}}');
    expect(failure.properties).not.toHaveProperty('polluted');
  });

  it('is settled when the failure is made', () => {
    const error = Object.assign(new Error('m'), { list: [1] });
    const failure = Failure.from(error);
    error.list.push(2);
    error.message = 'changed';
    expect(failure).toMatchObject({ message: 'm', properties: { list: [1] } });
  });

  it('reads frozen errors', () => {
    const error = Object.freeze(new DiskFullError('m', 'sdb', { cause: Object.freeze(new Error('c')) }));
    expect(stored(Failure.from(error))).toMatchObject({ properties: { disk: 'sdb' }, causes: [{ message: 'c' }] });
  });

  it('survives an error whose message and stack cannot be read', () => {
    const error = new DiskError('m');
    for (const key of ['stack', 'message', 'name', 'cause', 'code']) {
      Object.defineProperty(error, key, {
        get: () => {
          throw new Error('unreadable');
        },
      });
    }
    const failure = Failure.from(error);
    expect(failure).toMatchObject({ message: '', stack: null, code: undefined, causes: [] });
    expect(failure.typeNames).toEqual(['DiskError', 'Error']);
  });
});

describe('causes', () => {
  const root = new RangeError('root');
  const middle = new DiskError('middle', { cause: root });
  const top = new DiskFullError('top', 'sda', { cause: middle });

  it.each([
    ['live', Failure.from(top)],
    ['stored', stored(Failure.from(top))],
  ])('are the whole chain, and each has the rest of it (%s)', (_, failure) => {
    expect(failure.causes.map(({ message }) => message)).toEqual(['middle', 'root']);
    expect(failure.causes[0]?.causes.map(({ message }) => message)).toEqual(['root']);
    expect(failure.causes[1]?.causes).toEqual([]);
    expect(failure.causes[1]?.typeNames).toEqual(['RangeError', 'Error']);
  });

  it('keep their errors while live', () => {
    expect(Failure.from(top).causes.map(({ error }) => error)).toEqual([middle, root]);
  });

  it('stand once each in the record', () => {
    const { causes = [] } = Failure.from(top).toRecord();
    expect(causes.map(({ message, causes: own }) => [message, own])).toEqual([
      ['middle', undefined],
      ['root', undefined],
    ]);
  });

  it('may be anything that can be thrown', () => {
    const failure = stored(Failure.from(new Error('m', { cause: 'just text' })));
    expect(failure.causes).toMatchObject([{ message: 'just text', typeNames: ['Error'] }]);
    expect(Failure.from(new Error('m', { cause: null })).causes).toEqual([]);
  });

  it('may be failures', () => {
    const cause = stored(Failure.from(middle));
    const failure = Failure.from(new Error('m', { cause }));
    expect(failure.causes[0]).toBe(cause);
    expect(stored(failure).causes.map(({ message }) => message)).toEqual(['middle', 'root']);
  });

  it('end where they come round again', () => {
    const a = new Error('a');
    const b = new Error('b', { cause: a });
    a.cause = b;
    expect(stored(Failure.from(a)).causes.map(({ message }) => message)).toEqual(['b']);
    const self = new Error('self');
    self.cause = self;
    expect(Failure.from(self).causes).toEqual([]);
  });

  it('end where failures of one another come round again', () => {
    const a = new Error('a');
    const b = new Error('b');
    a.cause = Failure.from(b);
    b.cause = Failure.from(a);
    expect(stored(Failure.from(a)).causes.map(({ message }) => message)).toEqual(['b']);
  });

  it('end in a chain that makes itself longer', () => {
    class Endless extends Error {
      override get cause() {
        return new Endless('more');
      }
    }
    expect(stored(Failure.from(new Endless('first'))).causes).toHaveLength(1000);
  });
});

describe('members', () => {
  const causedMember = new Error('one', { cause: new Error('why') });

  it('are those of an AggregateError', () => {
    const failure = stored(Failure.from(new AggregateError([causedMember, 'two'], 'both')));
    expect(failure.errors).toMatchObject([{ message: 'one', causes: [{ message: 'why' }] }, { message: 'two' }]);
    expect(failure.properties).toEqual({});
  });

  it('are the failures of a WrappedFailureError', () => {
    const failure = stored(Failure.from(new WrappedFailureError([live, stored(live)])));
    expect(failure.typeNames).toEqual(['WrappedFailureError', 'Error']);
    expect(failure.errors.map((each) => each.matches(live))).toEqual([true, true]);
  });

  it('are not an `errors` property of another class', () => {
    const failure = Failure.from(Object.assign(new Error('m'), { errors: ['a'] }));
    expect(failure.errors).toEqual([]);
    expect(failure.properties).toEqual({ errors: ['a'] });
  });

  it('end where they come round again', () => {
    const inner = new Error('inner');
    const aggregate = new AggregateError([inner, inner], 'all');
    aggregate.errors.push(aggregate, Failure.from(aggregate));
    inner.cause = aggregate;
    const failure = stored(Failure.from(aggregate));
    expect(failure.errors).toMatchObject([
      { message: 'inner', causes: [] },
      { message: 'inner', causes: [] },
    ]);
    expect(failure.errors).toHaveLength(2);
  });

  it('end where sharing would explode', () => {
    let shared: Error = new Error('leaf');
    for (let depth = 0; depth < 40; depth += 1) shared = new AggregateError([shared, shared], `level ${depth}`);
    const failure = Failure.from(shared);
    expect(stored(failure).matches(failure)).toBe(true);
  });
});

describe('a record', () => {
  const record = { version: 1, typeNames: ['DiskError', 'Error'], message: 'm', stack: null };

  it('is plain JSON with a version', () => {
    const { stack, ...rest } = Failure.from(Object.assign(new DiskError('m'), { code: 'E', a: 1 })).toRecord();
    expect(rest).toEqual({
      version: 1,
      typeNames: ['DiskError', 'Error'],
      message: 'm',
      code: 'E',
      properties: { a: 1 },
    });
    expect(stack).toContain('Error: m\n    at ');
  });

  it('may have fields that are not known', () => {
    expect(Failure.fromRecord({ ...record, host: 'a' }).toRecord()).toEqual(record);
  });

  it('is not changed by what is done to it later', () => {
    const list = [1];
    const failure = Failure.fromRecord({ ...record, properties: { list } });
    list.push(2);
    expect(failure.properties).toEqual({ list: [1] });
  });

  it.each([
    ['$, got null', null],
    ['$, got "text"', 'text'],
    ['$, got []', []],
    ['version 1 at $.version, got undefined', { ...record, version: undefined }],
    ['$.version, got 2', { ...record, version: 2 }],
    ['$.typeNames, got []', { ...record, typeNames: [] }],
    ['$.typeNames, got ["DiskError"]', { ...record, typeNames: ['DiskError'] }],
    ['$.typeNames, got [1,"Error"]', { ...record, typeNames: [1, 'Error'] }],
    ['a string at $.message, got 5', { ...record, message: 5 }],
    ['a string or null at $.stack, got undefined', { ...record, stack: undefined }],
    ['$.code, got true', { ...record, code: true }],
    ['$.properties, got []', { ...record, properties: [] }],
    ['$.properties.f, got function', { ...record, properties: { f: () => 1 } }],
    ['$.causes, got {}', { ...record, causes: {} }],
    ['a string at $.causes[1].message, got null', { ...record, causes: [record, { ...record, message: null }] }],
    ['at $.causes[0].causes, got [{', { ...record, causes: [{ ...record, causes: [record] }] }],
    [
      '$.errors[0].causes[0].version, got 0',
      { ...record, errors: [{ ...record, causes: [{ ...record, version: 0 }] }] },
    ],
  ])('is refused, naming the path: %s', (message, value) => {
    const thrown = thrownBy(() => Failure.fromRecord(value));
    expect(thrown).toBeInstanceOf(InvalidFormatError);
    expect(String(thrown)).toContain(message);
  });

  it('is refused when it is too deep', () => {
    let deep: object = record;
    for (let depth = 0; depth < 1001; depth += 1) deep = { ...record, errors: [deep] };
    expect(() => Failure.fromRecord(deep)).toThrow('at most 1000 levels');
  });
});

describe('WrappedFailureError', () => {
  const disk = Failure.from(new DiskError('d'));
  const range = stored(Failure.from(new RangeError('r')));

  it('has its failures in its text, as list and as iterable', () => {
    const error = new WrappedFailureError([disk, range]);
    expect(String(error)).toBe('WrappedFailureError: [Failure: DiskError: d, Failure: RangeError: r]');
    expect(error.failures).toEqual([disk, range]);
    expect([...error]).toEqual([disk, range]);
  });

  it('is checked over all failures', () => {
    const error = new WrappedFailureError([disk, range]);
    expect(error.check(RangeError, DiskError)).toBe(DiskError);
    expect(error.check('RangeError')).toBe('RangeError');
    expect(error.check(TypeError)).toBeNull();
    expect(error.check()).toBeNull();
  });

  it('takes in the members of a live WrappedFailureError, to any depth', () => {
    const inner = new WrappedFailureError([disk, range]);
    const outer = new WrappedFailureError([Failure.from(inner), disk]);
    expect(outer.failures).toEqual([disk, range, disk]);
    expect(new WrappedFailureError([Failure.from(outer)]).failures).toHaveLength(3);
  });

  it('keeps a stored WrappedFailureError as it is', () => {
    const failure = stored(Failure.from(new WrappedFailureError([disk])));
    expect(new WrappedFailureError([failure]).failures).toEqual([failure]);
  });
});

describe('throwFailures', () => {
  it('does nothing for none', () => {
    expect(() => throwFailures([])).not.toThrow();
  });

  it('throws the error of a single live failure', () => {
    expect(thrownBy(() => throwFailures([live]))).toBe(live.error);
    expect(thrownBy(() => throwFailures([Failure.from(undefined)]))).toBeUndefined();
  });

  it('wraps a single failure that is no longer live', () => {
    const failure = stored(live);
    expect(thrownBy(() => throwFailures([failure]))).toMatchObject({
      name: 'WrappedFailureError',
      failures: [failure],
    });
  });

  it('wraps several', () => {
    const thrown = thrownBy(() => throwFailures([live, stored(live)]));
    expect(thrown).toBeInstanceOf(WrappedFailureError);
    expect(thrown).toMatchObject({ failures: [{ isLive: true }, { isLive: false }] });
  });
});

describe('registerErrorClass (D4)', () => {
  const registered = (act: () => void, ...registrations: Disposable[]) => {
    try {
      act();
    } finally {
      for (const registration of registrations) registration[Symbol.dispose]();
    }
  };

  it('brings a stored error back as itself', () => {
    const original = new DiskFullError('full', 'sda', { cause: new RangeError('size') });
    registered(() => {
      const failure = stored(Failure.from(original));
      expect(failure.isLive).toBe(true);
      expect(failure.error).toBeInstanceOf(DiskFullError);
      expect(failure.error).toMatchObject({ message: 'full', disk: 'sda', stack: original.stack });
      expect(failure.error).toMatchObject({ cause: failure.causes[0] });
      expect(thrownBy(() => throwFailures([failure]))).toBe(failure.error);
      expect(failure.matches(Failure.from(original))).toBe(true);
      expect(Failure.from(failure.error).matches(failure)).toBe(true);
    }, registerErrorClass(DiskFullError));
    expect(stored(Failure.from(original)).isLive).toBe(false);
  });

  it('brings a registered cause back as an error', () => {
    registered(
      () => {
        const failure = stored(Failure.from(new DiskError('d', { cause: new RangeError('r') })));
        expect(failure.error).toBeInstanceOf(DiskError);
        expect(failure.error).toHaveProperty('cause', failure.causes[0]?.error);
        expect(failure.causes[0]?.error).toBeInstanceOf(RangeError);
      },
      registerErrorClass(DiskError),
      registerErrorClass(RangeError),
    );
  });

  it('brings the members of an AggregateError back', () => {
    registered(() => {
      const failure = stored(Failure.from(new AggregateError([new Error('one')], 'all')));
      expect(failure.error).toBeInstanceOf(AggregateError);
      expect(failure.error).toHaveProperty('errors', [failure.errors[0]]);
    }, registerErrorClass(AggregateError));
  });

  it('brings no subclass back', () => {
    registered(() => {
      expect(stored(live).isLive).toBe(false);
    }, registerErrorClass(DiskError));
  });

  it('builds the error as it is told to', () => {
    const revive = vi.fn(
      ({ message, properties }: { message: string; properties: Readonly<Record<string, unknown>> }) =>
        new DiskFullError(`again: ${message}`, String(properties['disk'])),
    );
    registered(
      () => {
        const failure = stored(live);
        expect(failure.message).toBe('Woot!');
        expect(failure.error).toMatchObject({ message: 'again: Woot!', disk: 'sda', stack: live.stack });
      },
      registerErrorClass(DiskFullError, { revive }),
    );
    expect(revive).toHaveBeenCalledOnce();
  });

  it('leaves the failure without an error when building it fails', () => {
    const revive = () => {
      throw new Error('cannot');
    };
    registered(
      () => {
        expect(stored(live).isLive).toBe(false);
      },
      registerErrorClass(DiskFullError, { revive }),
    );
  });

  it('stores a class under the name given', () => {
    registered(
      () => {
        const failure = Failure.from(new NotFoundError('m'));
        expect(failure.typeNames).toEqual(['app.NotFound', 'NotFoundError', 'FlowstateError', 'Error']);
        expect(failure.check(NotFoundError)).toBe(NotFoundError);
        expect(stored(failure).error).toBeInstanceOf(NotFoundError);
      },
      registerErrorClass(NotFoundError, { name: 'app.NotFound' }),
    );
  });

  it('refuses another class of the same name, and what is no error class', () => {
    registered(() => {
      expect(() => registerErrorClass(DiskFullError, { name: 'DiskError' })).toThrow(DuplicateError);
    }, registerErrorClass(DiskError));
    expect(() => registerErrorClass(class extends Error {}, { name: '' })).toThrow(RangeError);
    // @ts-expect-error a class that is no Error
    expect(() => registerErrorClass(Map)).toThrow(TypeError);
  });
});

describe('formatError', () => {
  const error = new DiskError('m', { cause: new RangeError('n', { cause: 'v' }) });

  it('puts each cause below, further in', () => {
    expect(formatError(error)).toBe('m\n  RangeError: n\n    Error: v');
  });

  it('shows the outermost type and other indents on request', () => {
    expect(formatError(error, { indent: 1, type: true })).toBe('DiskError: m\n RangeError: n\n  Error: v');
  });

  it('ends where causes come round again', () => {
    const self = new Error('self');
    self.cause = self;
    expect(formatError(self)).toBe('self');
  });

  it('refuses a negative indent', () => {
    expect(() => formatError(error, { indent: -1 })).toThrow(
      new RangeError('indent takes a whole number from 0, got -1'),
    );
  });
});

describe('any tree of errors', () => {
  const facts = fc.record({
    kind: fc.constantFrom('Error', 'TypeError', 'DiskError', 'named'),
    message: fc.string({ unit: 'binary' }),
    code: fc.option(fc.oneof(fc.string(), fc.integer(), fc.double()), { nil: undefined }),
    properties: fc.dictionary(
      fc.string().filter((key) => !(key in new Error('m')) && key !== 'cause'),
      fc.anything(),
    ),
  });
  const { error: tree } = fc.letrec<{ error: unknown }>((tie) => ({
    error: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.anything(),
      facts.map((leaf) => build(leaf)),
      fc.tuple(facts, tie('error')).map(([leaf, cause]) => build(leaf, { cause })),
      fc
        .tuple(fc.array(tie('error'), { maxLength: 4 }), fc.string(), fc.option(tie('error'), { nil: undefined }))
        .map(([members, message, cause]) => new AggregateError(members, message, { cause })),
    ),
  }));

  function build(
    { kind, message, code, properties }: typeof facts extends fc.Arbitrary<infer Facts> ? Facts : never,
    options?: ErrorOptions,
  ): Error {
    const error =
      kind === 'TypeError'
        ? new TypeError(message, options)
        : kind === 'DiskError'
          ? new DiskError(message, options)
          : new Error(message, options);
    for (const [key, value] of Object.entries(properties)) {
      Object.defineProperty(error, key, { value, enumerable: true });
    }
    if (kind === 'named') error.name = 'Named';
    return code === undefined ? error : Object.assign(error, { code });
  }

  function expectSame(read: Failure, written: Failure): void {
    for (const key of ['typeNames', 'message', 'stack', 'code', 'properties'] as const) {
      expect(read[key]).toEqual(written[key]);
    }
    for (const key of ['causes', 'errors'] as const) {
      expect(read[key]).toHaveLength(written[key].length);
      for (const [index, each] of read[key].entries()) {
        const other = written[key][index];
        if (other !== undefined) expectSame(each, other);
      }
    }
  }

  it('is the same after it was stored', () => {
    fc.assert(
      fc.property(tree, (thrown) => {
        const failure = Failure.from(thrown);
        expectSame(stored(failure), failure);
        expect(stored(failure).matches(failure)).toBe(true);
        expect(stored(failure).toRecord()).toEqual(failure.toRecord());
      }),
    );
  });
});
