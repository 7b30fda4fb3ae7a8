import { describe, expect, it } from 'vitest';
import { put } from '../../src/persistence/atom-details.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import {
  addAtomDetail,
  addFlowDetail,
  createFlowDetail,
  findDetail,
  newFlowDetail,
  newLogBook,
  temporaryFlowDetail,
  temporaryLogBook,
} from '../../src/persistence/books.js';
import { formatDetail } from '../../src/persistence/format-detail.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { aBook, aFailure, aFlow, aRetryThatFailed, aTask, countingEnvironment } from './made-up-runs.js';

describe('a logbook', () => {
  it('is made now, empty', () => {
    const environment = countingEnvironment('b');
    const now = environment.clock.now();
    expect(newLogBook({ name: 'n' }, environment)).toEqual({
      uuid: 'b-1',
      name: 'n',
      meta: {},
      createdAt: now,
      updatedAt: null,
      flows: [],
    });
    expect(newLogBook({ name: 'n', uuid: 'u', meta: { a: 1 } }, environment)).toMatchObject({
      uuid: 'u',
      meta: { a: 1 },
    });
  });

  it('takes flow details, in order, each uuid once', () => {
    const environment = countingEnvironment();
    const [f, g] = [aFlow('f'), aFlow('g')];
    const book = addFlowDetail(addFlowDetail(aBook('b'), f, environment), g, environment);
    expect([book.flows, book.updatedAt]).toEqual([[f, g], environment.clock.now()]);
    const newer = { ...f, revision: 1 };
    expect(addFlowDetail(book, newer, environment).flows).toEqual([newer, g]);
    expect([findDetail(book.flows, g.uuid), findDetail(book.flows, 'none')]).toEqual([g, null]);
  });
});

describe('a flow detail', () => {
  it('has not begun when it is new', () => {
    const flow = newFlowDetail({ name: 'f' }, countingEnvironment('f'));
    expect(flow).toEqual({
      uuid: 'f-1',
      name: 'f',
      state: null,
      meta: {},
      revision: 0,
      createdAt: 1_700_000_000_000,
      updatedAt: 1_700_000_000_000,
      fence: 0,
      lastCommit: null,
      atoms: [],
    });
  });

  it('takes atom details, by position, each uuid once', () => {
    const [a, b] = [aTask('a', 0), aTask('b', 1)];
    const flow = addAtomDetail(addAtomDetail(aFlow('f'), b), a);
    expect(flow.atoms).toEqual([a, b]);
    expect(addAtomDetail(flow, put(a, 'RUNNING', null)).atoms).toEqual([put(a, 'RUNNING', null), b]);
  });
});

describe('temporaryFlowDetail', () => {
  it('is entered in a temporary book, and saved with it where there is a backend', async () => {
    const backend = memoryBackend();
    const { flowDetail, book } = await temporaryFlowDetail({ backend, meta: { x: 1 } });
    expect([book.name, flowDetail.name, flowDetail.meta]).toEqual(['tmp', 'tmp-flow-detail', { x: 1 }]);
    const connection = await backend.getConnection();
    expect(await connection.getLogbook(book.uuid)).toEqual(book);
    expect(book.flows).toEqual([flowDetail]);
    const unsaved = await temporaryFlowDetail();
    expect(unsaved.book.flows).toEqual([unsaved.flowDetail]);
  });
});

describe('temporaryLogBook', () => {
  it('is saved when there is a backend', async () => {
    const backend = memoryBackend();
    const environment = countingEnvironment();
    expect(await temporaryLogBook({ environment })).toMatchObject({ name: 'tmp', uuid: 'id-1' });
    const book = await temporaryLogBook({ backend, environment });
    expect(await usingConnection(backend, (connection) => connection.getLogbooks())).toEqual([book]);
  });
});

describe('createFlowDetail', () => {
  const environment = countingEnvironment();

  it('only makes one when there is neither book nor backend', async () => {
    const { flowDetail, book } = await createFlowDetail('f', { meta: { a: 1 }, environment });
    expect([flowDetail, book]).toMatchObject([{ name: 'f', meta: { a: 1 }, revision: 0 }, null]);
  });

  it('enters it in the book', async () => {
    const given = aBook('b', aFlow('old'));
    const { flowDetail, book } = await createFlowDetail('f', { book: given, environment });
    expect(book?.flows).toEqual([...given.flows, flowDetail]);
  });

  it('saves it in a temporary book when there is only a backend', async () => {
    const backend = memoryBackend();
    const { flowDetail, book } = await createFlowDetail('f', { backend, environment });
    expect(book?.name).toBe('tmp');
    expect(await usingConnection(backend, (connection) => connection.getLogbooks())).toEqual([book]);
    expect(book?.flows).toEqual([flowDetail]);
  });

  it('saves the whole book when it is not stored yet', async () => {
    const backend = memoryBackend();
    const given = aBook('b', aFlow('old', aTask('a')));
    const { flowDetail, book } = await createFlowDetail('f', { book: given, backend, environment });
    expect(book?.flows).toEqual([...given.flows, flowDetail]);
    expect(await usingConnection(backend, (connection) => connection.getFlowDetail(flowDetail.uuid))).toEqual(
      flowDetail,
    );
  });

  it('adds to a stored book whose other runs went on since it was read', async () => {
    const backend = memoryBackend();
    const old = aFlow('old');
    const given = aBook('b', old);
    await usingConnection(backend, async (connection) => {
      await connection.saveLogbook(given);
      await connection.commit({ flowUuid: old.uuid, expectedRevision: 0, state: 'RUNNING', atoms: [] });
    });
    const { flowDetail, book } = await createFlowDetail('f', { book: given, backend, environment });
    expect(book?.flows).toEqual([{ ...old, state: 'RUNNING', revision: 1 }, flowDetail]);
  });
});

describe('formatDetail', () => {
  it('writes all of a book, indented', () => {
    const task = {
      ...put({ ...aTask('a'), uuid: 'u-a' }, 'SUCCESS', { x: [1] }),
      meta: { progress: 0.125, note: 'text', list: [1] },
    };
    const failed = put({ ...aTask('b', 1), uuid: 'u-b' }, 'FAILURE', aFailure('x'));
    const retry = { ...aRetryThatFailed('r', 42, 'a', aFailure('x')), uuid: 'u-r' };
    const flow = { ...aFlow('f', task, failed, retry), uuid: 'u-f' };
    const book = { ...aBook('b', flow), uuid: 'u-book', createdAt: 0, meta: { owner: 'ann' } };
    expect(formatDetail(book, { indent: 2, showValues: true })).toBe(
      [
        "  LogBook: 'b'",
        '   - uuid = u-book',
        '   - createdAt = 1970-01-01T00:00:00.000Z',
        '   - updatedAt = null',
        '   - metadata:',
        '    + owner = ann',
        "   FlowDetail: 'f'",
        '    - uuid = u-f',
        '    - state = null',
        '    - revision = 0',
        "    TaskDetail: 'a'",
        '     - uuid = u-a',
        '     - state = SUCCESS',
        '     - intention = EXECUTE',
        '     - version = 1.0',
        '     - results = {"x":[1]}',
        '     - failure = false',
        '     - metadata:',
        '      + progress = 12.50%',
        '      + note = text',
        '      + list = [1]',
        "    TaskDetail: 'b'",
        '     - uuid = u-b',
        '     - state = FAILURE',
        '     - intention = EXECUTE',
        '     - version = 1.0',
        '     - results = null',
        '     - failure = true',
        "    RetryDetail: 'r'",
        '     - uuid = u-r',
        '     - state = SUCCESS',
        '     - intention = EXECUTE',
        '     - version = 1.0',
        '     - results = [42]',
        '     - failure = false',
      ].join('\n'),
    );
  });

  it('writes results that JSON cannot', () => {
    const showValues = true;
    expect(formatDetail(put(aTask('a'), 'SUCCESS', 10n), { showValues })).toContain('results = 10');
    expect(formatDetail(put(aTask('a'), 'SUCCESS', undefined), { showValues })).toContain('results = undefined');
  });

  it('shows no values unless that is asked for, but what kind they are, and progress', () => {
    const done = put(aTask('a'), 'SUCCESS', { token: 'hunter2' }, { progress: 0.5, pin: 1234, note: 'hunter2' });
    const text = formatDetail({ ...aBook('b', aFlow('f', done)), meta: { keys: ['hunter2', 'x'], none: null } });
    expect(text).not.toMatch(/hunter2|1234|token/);
    expect(text.split('\n').map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        '- results = (an object)',
        '+ progress = 50.00%',
        '+ pin = (a number)',
        '+ note = (a string)',
        '+ keys = (2 in a list)',
        '+ none = null',
      ]),
    );
  });
});
