import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../src/errors.js';
import { put } from '../../src/persistence/atom-details.js';
import type { FlowDetail } from '../../src/persistence/details.js';
import { mergeAtomDetail, mergeFlowDetail, mergeLogBook, withoutContents } from '../../src/persistence/merge.js';
import { aBook, aFailure, aFlow, aRetry, aRetryThatFailed, aTask } from './made-up-runs.js';

describe('merging details', () => {
  it('takes metadata and times of a book, and leaves its flows', () => {
    const [flow, book] = [aFlow('f'), aBook('book')];
    const other = { ...aBook('other', aFlow('g')), meta: { x: 1 }, createdAt: 1, updatedAt: 2 };
    const merged = mergeLogBook({ ...book, flows: [flow] }, other);
    expect(merged).toEqual({ ...book, flows: [flow], meta: { x: 1 }, createdAt: 1, updatedAt: 2 });
  });

  it('takes state and metadata of a run, the latter as a whole, and leaves its atoms', () => {
    const flow = { ...aFlow('f', aTask('a')), meta: { old: true } };
    const other: FlowDetail = { ...aFlow('g', aTask('b')), state: 'SUSPENDED', meta: { x: 1 } };
    expect(mergeFlowDetail(flow, other)).toEqual({ ...flow, state: 'SUSPENDED', meta: { x: 1 } });
  });

  it('takes everything of an atom but who it is; failures may be taken away', () => {
    const failed = put(aTask('a'), 'FAILURE', aFailure('no'));
    const done = {
      ...put(aTask('b', 7), 'SUCCESS', [1]),
      intention: 'REVERT',
      version: '2.0',
      meta: { x: 1 },
    } as const;
    const { uuid, name, position } = failed;
    expect(mergeAtomDetail(failed, done)).toEqual({ ...done, uuid, name, position });
    expect(mergeAtomDetail(failed, failed)).toEqual(failed);
  });

  it('D3: takes what the revert of a retry gave, and its whole history', () => {
    const other = put(aRetryThatFailed('s', 42, 'a', aFailure('no')), 'REVERTED', 'undone');
    const merged = mergeAtomDetail(aRetry('r'), other);
    expect([merged.revertResults, merged.results]).toEqual(['undone', other.results]);
  });

  it('is refused for a task and a retry', () => {
    expect(() => mergeAtomDetail(aTask('a'), aRetry('r'))).toThrow(UnsupportedError);
    expect(() => mergeAtomDetail(aTask('a'), aRetry('r'))).toThrow("The task 'a' cannot take over the retry 'r'");
  });

  it('copies containers without what is in them', () => {
    const flow = aFlow('f', aTask('a'));
    const book = aBook('book', flow);
    expect(withoutContents(book)).toEqual({ ...book, flows: [] });
    expect(withoutContents(flow)).toEqual({ ...flow, atoms: [] });
  });
});
