import { describe, expect, it } from 'vitest';
import { alwaysRevertAll, times } from '../../src/atoms/retries.js';
import { load } from '../../src/engines/load.js';
import { StorageError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { interrupting } from '../../src/testing/interrupting-backend.js';
import { runWithin, statesOf } from './announcements.js';
import { manualEnvironment } from './manual-environment.js';
import { rejection, step, stepsInto, throwing } from './steps.js';

/*
 * Defects that TaskFlow's own release notes name. They stay named here.
 */

const woot = new Error('Woot!');

/** A run that would never end is taken for one after this many commits. */
const ENDLESS = 100;

/** A store that fails every commit from the time it is told to. */
function failing() {
  const down = new StorageError('the store is down');
  let isDown = false;
  const backend = interrupting(memoryBackend(), {
    onCommit: (n, _unit, commit) => {
      if (n > ENDLESS) throw new Error('the run does not end');
      return isDown ? Promise.reject(down) : commit();
    },
  });
  return {
    backend,
    down,
    fail: () => {
      isDown = true;
    },
    recover: () => {
      isDown = false;
    },
  };
}

describe.each(['round', 'change'] as const)('with a commit each %s', (checkpoint) => {
  describe.each(['serial', 'parallel'] as const)('the %s engine', (engineKind) => {
    const options = {
      checkpoint,
      engine: engineKind,
      environment: manualEnvironment(),
      commitRetry: { attempts: 1 },
    } as const;

    it('regression: no endless loop when storage fails while a failure of execute is handled', async () => {
      const { backend, fail, recover, down } = failing();
      const flow = linear('f', { retry: times({ name: 'r', attempts: 3 }) }).add(
        step('a'),
        step('b', {
          execute: () => {
            fail();
            throw woot;
          },
        }),
      );
      const engine = await load(flow, { ...options, backend });
      const commits = backend.commits;
      await rejection(engine.run());
      expect(backend.commits - commits).toBeLessThan(20);
      // The engine and the store say what was there before.
      expect(engine.storage.getFlowState()).toBe('RUNNING');
      recover();
      const detail = await usingConnection(backend, (connection) => connection.getFlowDetail(engine.storage.flowUuid));
      expect(detail.state).toBe('RUNNING');
      expect(detail.atoms.find(({ name }) => name === 'b')?.state).toBe('RUNNING');
      expect(down.message).toBe('the store is down');
    });

    it('regression: no endless loop when storage fails while a failure of revert is handled', async () => {
      const { backend, fail } = failing();
      const flow = linear('f', { retry: times({ name: 'r', attempts: 3 }) }).add(
        step('a', {
          revert: () => {
            fail();
            throw new Error('Gotcha!');
          },
        }),
        step('b', { execute: throwing(woot) }),
      );
      const engine = await load(flow, { ...options, backend });
      await rejection(engine.run());
      expect(backend.commits).toBeLessThan(ENDLESS);
      expect(engine.storage.getFlowState()).toBe('RUNNING');
    });

    it('regression: a job is not consumed whose engine failed on storage: the run throws, and is no success', async () => {
      const { backend, fail, down, recover } = failing();
      const flow = () => linear('f').add(step('a'), step('b', { execute: () => fail() }));
      const engine = await load(flow(), { ...options, backend });
      const error = await rejection(engine.run());
      expect(error).toBe(down);
      expect(engine.storage.getFlowState()).toBe('RUNNING');
      recover();
      const detail = await usingConnection(backend, (connection) => connection.getFlowDetail(engine.storage.flowUuid));
      expect(detail.state).not.toBe('SUCCESS');
      const again = await load(linear('f').add(step('a'), step('b')), { ...options, backend, flowDetail: detail });
      expect(await runWithin(again, 50)).toBe('SUCCESS');
    });

    it.each(['retry first', 'revert all first'])(
      "regression: a sibling's RETRY does not override REVERT_ALL (%s)",
      async (order) => {
        const log: string[] = [];
        const step = stepsInto(log);
        const again = linear('again', { retry: times({ name: 'r1', attempts: 3 }) }).add(
          step('a', { execute: throwing(new Error('try again')) }),
        );
        const all = linear('all', { retry: alwaysRevertAll({ name: 'r2' }) }).add(
          step('b', { execute: throwing(new Error('give up')) }),
        );
        const children = order === 'retry first' ? [again, all] : [all, again];
        const flow = linear('f').add(step('before'), unordered('u').addAll(children));
        const engine = await load(flow, { ...options, environment: manualEnvironment() });
        await rejection(engine.run());
        expect(engine.storage.getFlowState()).toBe('REVERTED');
        expect(statesOf(engine)).toEqual({
          before: 'REVERTED',
          a: 'REVERTED',
          b: 'REVERTED',
          r1: 'REVERTED',
          r2: 'REVERTED',
        });
        expect(log.filter((each) => each === 'execute a')).toHaveLength(1);
        expect(log).toContain('revert before');
      },
    );
  });
});
