import { afterEach, describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { FactoryRegistry, knownFactories, registerFactory } from '../../src/engines/factories.js';
import type { FlowFactory } from '../../src/engines/factories.js';
import { flowFromDetail, loadFromDetail, loadFromFactory, saveFactoryDetails } from '../../src/engines/load-factory.js';
import {
  DuplicateError,
  InvalidFormatError,
  NotFoundError,
  StorageConflictError,
  UnstorableValueError,
} from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { createFlowDetail, newFlowDetail } from '../../src/persistence/books.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { snapshotOf } from '../../src/testing/interrupting-backend.js';

const NAME = 'billing/make-invoice@1';

const makeInvoice = (number: number, { dryRun }: { dryRun?: boolean } = {}) =>
  linear('invoice', { meta: { team: 'billing' } }).add(
    task({ name: 'write', provides: 'text', execute: () => `invoice ${number}` }),
    task({
      name: 'send',
      requires: ['text', 'currency'],
      provides: 'sent',
      execute: ({ text, currency }) => `${String(text)} in ${String(currency)}, ${dryRun === true ? 'dry' : 'wet'}`,
    }),
  );

function registry(...more: [string, FlowFactory][]): FactoryRegistry {
  return new FactoryRegistry([[NAME, makeInvoice], ...more]);
}

const stored = (backend: PersistenceBackend, uuid: string) =>
  usingConnection(backend, (connection) => connection.getFlowDetail(uuid));

describe('a registry of factories', () => {
  it('knows a function by its name, and the name of a function', async () => {
    const factories = registry();
    expect(await factories.resolve(NAME)).toBe(makeInvoice);
    expect(factories.nameOf(makeInvoice)).toBe(NAME);
    expect(factories.nameOf(() => makeInvoice(1))).toBeNull();
    expect(factories.names).toEqual([NAME]);
  });

  it('forgets what is disposed, and only that', async () => {
    const factories = new FactoryRegistry();
    const registration = factories.register('a', makeInvoice);
    const other = () => makeInvoice(2);
    factories.register('a', other, { replace: true });
    registration[Symbol.dispose]();
    expect(await factories.resolve('a')).toBe(other);
    factories.register('b', makeInvoice)[Symbol.dispose]();
    await expect(factories.resolve('b')).rejects.toThrow(NotFoundError);
  });

  it('refuses a name that is taken, and takes the same function twice', () => {
    const factories = registry();
    expect(() => factories.register(NAME, () => makeInvoice(1))).toThrow(DuplicateError);
    factories.register(NAME, makeInvoice);
    factories.copy().register('only in the copy', makeInvoice);
    expect(factories.names).toEqual([NAME]);
  });

  it.each([
    ['', RangeError],
    ['a#b', RangeError],
    [3, RangeError],
  ])('refuses the name %j', (name, errorClass) => {
    expect(() => new FactoryRegistry().register(name as string, makeInvoice)).toThrow(errorClass);
  });

  it('refuses what is no function', () => {
    expect(() => new FactoryRegistry().register('a', 'b' as never)).toThrow(TypeError);
  });

  it('names the nearest, and says what to do', async () => {
    await expect(registry().resolve('billing/make-invoice@2')).rejects.toThrow(`did you mean ${NAME}?`);
    await expect(registry().resolve('x')).rejects.toThrow('register it with registerFactory()');
  });

  it('imports from modules that are allowed, when it is asked to', async () => {
    const factories = registry();
    let imported = 0;
    factories.allowModule('invoices', async () => {
      imported += 1;
      return { makeInvoice, text: 'no function' };
    });
    expect(imported).toBe(0);
    expect(await factories.resolve('invoices#makeInvoice')).toBe(makeInvoice);
    await expect(factories.resolve('invoices#text')).rejects.toThrow('exports no function "text"');
    await expect(factories.resolve('invoices#toString')).rejects.toThrow(NotFoundError);
    await expect(factories.resolve('node:fs#rmSync')).rejects.toThrow('are not allowed');
    expect(imported).toBe(3);
  });

  it('imports by the specifier itself, unless that would mean something else elsewhere', async () => {
    const factories = registry();
    factories.allowModule('node:path');
    expect(typeof (await factories.resolve('node:path#join'))).toBe('function');
    factories.allowModule('no-such-package-of-flowstate');
    await expect(factories.resolve('no-such-package-of-flowstate#x')).rejects.toThrow('cannot be imported');
    for (const specifier of ['./flows.js', '../flows.js', '/flows.js', '', 'a#b']) {
      expect(() => factories.allowModule(specifier)).toThrow(RangeError);
    }
  });
});

describe('a run that knows what makes its flow', () => {
  const factories = registry();
  const options = { factories, args: [42], kwargs: { dryRun: true }, store: { currency: 'EUR' } };

  it('is made, and resumed, from its name and arguments', async () => {
    const backend = memoryBackend();
    const first = await loadFromFactory(NAME, { ...options, backend });
    expect(first.storage.flowMeta).toEqual({
      team: 'billing',
      factory: { name: NAME, args: [42], kwargs: { dryRun: true } },
    });
    first.atomNotifier.register('SUCCESS', () => first.suspend());
    expect(await first.run()).toBe('SUSPENDED');
    await first.close();
    const detail = await stored(backend, first.storage.flowUuid);
    expect((await flowFromDetail(detail, { factories })).name).toBe('invoice');
    const second = await loadFromDetail(detail, { factories, backend });
    expect(await second.run()).toBe('SUCCESS');
    expect(second.storage.fetch('sent')).toBe('invoice 42 in EUR, dry');
  });

  it('can be given the function, and passes no named arguments when there are none', async () => {
    const engine = await loadFromFactory(makeInvoice, { factories, args: [7], store: { currency: 'CHF' } });
    expect(engine.storage.flowMeta['factory']).toEqual({ name: NAME, args: [7] });
    await engine.run();
    expect(engine.storage.fetch('sent')).toBe('invoice 7 in CHF, wet');
  });

  it('may be made by something that takes its time, and may be a single task', async () => {
    const only = registry(['only', async () => task({ name: 'only', provides: 'x', execute: () => 1 })]);
    const engine = await loadFromFactory('only', { factories: only });
    expect(await engine.run()).toBe('SUCCESS');
  });

  it.each<[string, FlowFactory | string, object, abstract new (...args: never[]) => Error, string]>([
    ['a function that is not registered', () => makeInvoice(1), {}, RangeError, 'call registerFactory() first'],
    ['a name that is not', 'unknown', {}, NotFoundError, 'no factory named "unknown"'],
    ['something else', 3 as never, {}, TypeError, 'takes a function or a name'],
    ['arguments that JSON would change', NAME, { args: [new Date()] }, UnstorableValueError, '$.args[0]'],
    ['named ones likewise', NAME, { kwargs: { f: () => 1 } }, UnstorableValueError, '$.kwargs.f'],
    ['arguments that are no list', NAME, { args: 'x' }, TypeError, 'args takes a list'],
    ['named ones that are no object', NAME, { kwargs: [] }, TypeError, 'kwargs takes an object'],
    ['a run', NAME, { flowDetail: newFlowDetail({ name: 'x' }) }, RangeError, 'takes no flowDetail'],
    ['an option that there is not', NAME, { engin: 'serial' }, RangeError, 'did you mean engine?'],
  ])('is refused at once for %s', async (_, factory, given, errorClass, message) => {
    const backend = memoryBackend();
    const loading = loadFromFactory(factory, { factories, backend, ...given });
    await expect(loading).rejects.toThrow(errorClass);
    await expect(loading).rejects.toThrow(message);
    expect(await snapshotOf(backend)).toEqual([]);
  });

  it('is refused for a factory that makes something else', async () => {
    const odd = registry(['odd', (() => 'a flow') as never]);
    await expect(loadFromFactory('odd', { factories: odd })).rejects.toThrow(
      'The factory odd has to make a flow or a task, got "a flow"',
    );
  });

  it('is called with a copy: what it does with its arguments is not kept', async () => {
    const grabby = registry([
      'grabby',
      (list: number[]) => {
        list.push(2);
        return makeInvoice(list.length);
      },
    ]);
    const engine = await loadFromFactory('grabby', { factories: grabby, args: [[1]] });
    expect(engine.storage.flowMeta['factory']).toEqual({ name: 'grabby', args: [[1]] });
  });
});

describe('noting in a run what makes its flow', () => {
  const factories = registry();

  it('changes nothing that is stored without a backend', async () => {
    const detail = newFlowDetail({ name: 'invoice', meta: { a: 1 } });
    const noted = await saveFactoryDetails(detail, NAME, { factories, args: [1] });
    expect(noted).toEqual({ ...detail, meta: { a: 1, factory: { name: NAME, args: [1] } } });
  });

  it('is stored with a backend, at the revision that was read', async () => {
    const backend = memoryBackend();
    const { flowDetail } = await createFlowDetail('invoice', { backend });
    const noted = await saveFactoryDetails(flowDetail, makeInvoice, { factories, args: [1], backend });
    expect(await stored(backend, flowDetail.uuid)).toEqual(noted);
    expect(noted.revision).toBe(1);
    const engine = await loadFromDetail(noted, { factories, backend, store: { currency: 'EUR' } });
    expect(await engine.run()).toBe('SUCCESS');
    await expect(saveFactoryDetails(flowDetail, NAME, { factories, args: [2], backend })).rejects.toThrow(
      StorageConflictError,
    );
  });

  it('takes a run that is stored', async () => {
    const detail = newFlowDetail({ name: 'invoice' });
    await expect(saveFactoryDetails(detail, NAME, { factories, backend: memoryBackend() })).rejects.toThrow(
      NotFoundError,
    );
  });
});

describe('a run whose factory cannot be found', () => {
  it('says that there is none', async () => {
    const detail = newFlowDetail({ name: 'invoice', uuid: 'u' });
    await expect(flowFromDetail(detail)).rejects.toThrow(RangeError);
    await expect(flowFromDetail(detail)).rejects.toThrow('The run u of invoice');
  });

  it.each([{ name: 3 }, { name: 'a', args: 'x' }, { name: 'a', kwargs: 3 }, 'a'])(
    'says what is wrong with %j',
    async (factory) => {
      await expect(flowFromDetail(newFlowDetail({ name: 'invoice', meta: { factory } }))).rejects.toThrow(
        InvalidFormatError,
      );
    },
  );

  it('names it', async () => {
    const meta = { factory: { name: 'gone@1', args: [] } };
    await expect(loadFromDetail(newFlowDetail({ name: 'invoice', meta }))).rejects.toThrow('"gone@1"');
  });
});

describe('the registry of the process', () => {
  afterEach(() => {
    expect(knownFactories.names).toEqual([]);
  });

  it('is used when none is given', async () => {
    using registration = registerFactory(NAME, makeInvoice);
    expect(registration).toBeDefined();
    const engine = await loadFromFactory(makeInvoice, { args: [1], store: { currency: 'EUR' } });
    expect(await engine.run()).toBe('SUCCESS');
  });
});
