import { describe, expect, it } from 'vitest';
import { InvalidFormatError, UnstorableValueError } from '../../src/errors.js';
import { put } from '../../src/persistence/atom-details.js';
import {
  atomFromRecord,
  atomToRecord,
  flowFromRecord,
  flowToRecord,
  logbookFromRecord,
  logbookToRecord,
} from '../../src/persistence/records.js';
import { RowFormat } from '../../src/persistence/rows.js';
import { aBook, aFailure, aFlow, aRetry, aRetryThatFailed, aTask } from './made-up-runs.js';

const throughJson = (record: unknown): unknown => JSON.parse(JSON.stringify(record));

describe('records', () => {
  it.each([
    ['a new task', aTask('a')],
    ['a task with a result', put(aTask('a'), 'SUCCESS', { x: [1] })],
    ['a task that failed and was reverted', put(put(aTask('a'), 'FAILURE', aFailure('x')), 'REVERTED', 'undone')],
    ['a task whose revert failed', put(aTask('a'), 'REVERT_FAILURE', aFailure('x'))],
    ['a new retry', aRetry('r')],
    ['D2: a retry with an attempt that failed', aRetryThatFailed('r', 42, 'a', aFailure('x'))],
    [
      'a retry with a hostile atom name',
      aRetryThatFailed('constructor', { __proto__: null }, '__proto__', aFailure('x')),
    ],
    ['D3: a reverted retry', put(aRetryThatFailed('r', 42, 'a', aFailure('x')), 'REVERTED', { gave: 'up' })],
  ])('of %s become the same again', (_what, detail) => {
    expect(atomFromRecord(throughJson(atomToRecord(detail)))).toEqual(detail);
  });

  it('of books and flows leave out their children, and take them back', () => {
    const flow = { ...aFlow('f', aTask('a')), meta: { a: 1 }, revision: 4, state: 'SUSPENDED' as const };
    const book = { ...aBook('b', flow), updatedAt: 3 };
    expect(flowFromRecord(throughJson(flowToRecord(flow)))).toEqual({ ...flow, atoms: [] });
    expect(flowFromRecord(throughJson(flowToRecord(flow)), flow.atoms)).toEqual(flow);
    expect(logbookFromRecord(throughJson(logbookToRecord(book)))).toEqual({ ...book, flows: [] });
    expect(logbookFromRecord(throughJson(logbookToRecord(book)), book.flows)).toEqual(book);
  });

  it('read metadata that is not an object as none', () => {
    for (const meta of [null, 'text', 7, [1]]) {
      expect(atomFromRecord({ ...atomToRecord(aTask('a')), meta }).meta).toEqual({});
      expect(flowFromRecord({ ...flowToRecord(aFlow('f')), meta }).meta).toEqual({});
      expect(logbookFromRecord({ ...logbookToRecord(aBook('b')), meta }).meta).toEqual({});
    }
  });

  it.each<[Record<string, unknown>, string]>([
    [{ kind: 'spoon' }, 'kind takes one of task, retry, got "spoon"'],
    [{ state: 'ASLEEP' }, 'state takes one of PENDING, '],
    [{ state: 'toString' }, 'state takes one of PENDING, '],
    [{ intention: null }, 'intention takes one of EXECUTE, REVERT, RETRY, IGNORE, got null'],
    [{ position: -1 }, 'position takes a whole number from 0, got -1'],
    [{ version: 1 }, 'version takes text, got 1'],
    [{ uuid: null }, 'uuid takes text, got null'],
    [{ failure: { message: 'x' } }, 'failure takes the record of a failure, got an object'],
    [{ revertFailure: [] }, 'revertFailure takes the record of a failure, got a list'],
    [{ kind: 'retry', results: 5 }, 'results takes a list, got 5'],
    [{ kind: 'retry', results: [5] }, 'results[0] takes a list, got 5'],
    [{ kind: 'retry', results: [[1, {}]] }, 'results[0][1] takes a list, got an object'],
    [{ kind: 'retry', results: [[1, [['a', 'x']]]] }, `results[0][1]['a'] takes the record of a failure, got "x"`],
    [{ kind: 'retry', results: [[1, [[1, 'x']]]] }, 'results[0][1] takes pairs of atom and failure, got a list'],
  ])('that are corrupted are named: %o', (fields, message) => {
    const read = () => atomFromRecord({ ...atomToRecord(aTask('a')), ...fields });
    expect(read).toThrow(InvalidFormatError);
    expect(read).toThrow(`The record of atom 'a' is corrupted: ${message}`);
  });

  it('of flows and books that are corrupted are named', () => {
    expect(() => flowFromRecord({ ...flowToRecord(aFlow('f')), state: 'RETRYING' })).toThrow(
      /flow detail 'f' is corrupted: state takes/,
    );
    expect(() => flowFromRecord({ ...flowToRecord(aFlow('f')), revision: 1.5 })).toThrow(
      /flow detail 'f' is corrupted: revision takes/,
    );
    expect(() => logbookFromRecord({ ...logbookToRecord(aBook('b')), createdAt: 'now' })).toThrow(
      /logbook 'b' is corrupted: createdAt takes/,
    );
    expect(() => logbookFromRecord(null)).toThrow('The record of logbook is not an object but null');
    expect(() => atomFromRecord([])).toThrow(InvalidFormatError);
  });
});

describe('rows', () => {
  const rows = new RowFormat({ encode: String, decode: (text) => text });

  it('take no text from a codec that a store could cut', () => {
    for (const text of ['nul \0', 'half \ud800']) {
      expect(() => rows.encodeAtom(put(aTask('a'), 'SUCCESS', text))).toThrow(UnstorableValueError);
    }
    expect(rows.encodeAtom(put(aTask('a'), 'SUCCESS', 'whole 🙂')).results).toBe('whole 🙂');
  });

  it('tell what a codec could not keep, whatever it threw', () => {
    const refusing = new RowFormat({
      encode() {
        throw new Error('not today');
      },
      decode: (text) => text,
    });
    expect(() => refusing.encodeAtom(put(aTask('a'), 'SUCCESS', 1))).toThrow(/codec cannot keep the meta of task 'a'/);
  });
});
