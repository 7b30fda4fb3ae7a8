import { describe, expect, it } from 'vitest';
import { StorageError } from '../../src/errors.js';
import { jsonCodec } from '../../src/persistence/codecs/json.js';
import type { Connection, PersistenceBackend, UnitOfWork } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { forwardingConnection } from '../../src/persistence/forwarding.js';
import { copyingBackendSuite, persistenceBackendSuite } from '../../src/testing/index.js';
import type { BackendSuiteOptions } from '../../src/testing/index.js';
import { collected, failing } from './collected.js';

type Open = BackendSuiteOptions['open'];

function suiteFor(open: Open, more: Partial<BackendSuiteOptions> = {}) {
  return collected((runner) => persistenceBackendSuite({ name: 'x', open, ...runner, ...more }));
}

/** A memory backend whose connection is another in some respects. */
function changed(change: (connection: Connection) => Partial<Connection>): Open {
  return () => {
    const backend = memoryBackend();
    const getConnection = async () => {
      const connection = await backend.getConnection();
      return { ...forwardingConnection(connection), ...change(connection) };
    };
    return { ...backend, getConnection };
  };
}

const committing = (change: (unit: UnitOfWork, connection: Connection) => Promise<void>) =>
  changed((connection) => ({ commit: (unit) => change(unit, connection) }));

/** Commits at whatever revision the run is. */
async function atAnyRevision(connection: Connection, unit: UnitOfWork): Promise<void> {
  const { revision } = await connection.getFlowDetail(unit.flowUuid, { lazy: true });
  await connection.commit({ ...unit, expectedRevision: revision });
}

describe('the suite for persistence backends', () => {
  it('is passed by one that keeps its promises, under a runner that knows describe and it alone', async () => {
    const tests = suiteFor(() => memoryBackend());
    expect(tests.size).toBeGreaterThan(70);
    expect(await failing(tests)).toEqual([]);
  });

  it.each<[string, Open, RegExp]>([
    [
      'takes a commit at any revision',
      committing((unit, to) => atAnyRevision(to, unit)),
      /refused at another revision/,
    ],
    ['lets two engines write one run', committing((unit, to) => atAnyRevision(to, unit)), /one goes on/],
    [
      'forgets what a commit was known by',
      committing(({ id: _, ...unit }, to) => to.commit(unit)),
      /a commit > that is sent again is applied once/,
    ],
    ['ignores fences', committing(({ fence: _, ...unit }, to) => to.commit(unit)), /its claim was taken over/],
    [
      'ignores when a commit was made',
      committing(({ at: _, ...unit }, to) => to.commit(unit)),
      /notes when it was made/,
    ],
    [
      'writes atoms one by one',
      committing(async ({ id: _, ...unit }, to) => {
        for (const atom of unit.atoms) await atAnyRevision(to, { ...unit, atoms: [atom] });
        if (unit.atoms.length === 0) await to.commit(unit);
      }),
      /refused as a whole/,
    ],
    [
      'says that a commit was made and forgets it',
      committing(async (unit, to) => {
        if (unit.state !== 'RUNNING') await to.commit(unit);
      }),
      /a run > of a chain goes on when any one commit fails once/,
    ],
    [
      'gives atoms in the order of their names',
      changed((connection) => ({
        getAtomsForFlow: async (uuid) =>
          (await connection.getAtomsForFlow(uuid)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      })),
      /ordered by position/,
    ],
    [
      'knows ASCII only',
      () => {
        const codec = { ...jsonCodec, decode: (text: string) => jsonCodec.decode(text.replace(/[^\0-\x7f]/g, '?')) };
        return memoryBackend({ codec });
      },
      /may be large/,
    ],
  ])('is not passed by one that %s', async (_, open, expected) => {
    const tests = suiteFor(open);
    const looked = new Map([...tests].filter(([name]) => expected.test(name)));
    expect(looked.size).toBeGreaterThan(0);
    expect(await failing(looked)).not.toEqual([]);
  });

  it('closes what it opened, whether a test passes or fails', async () => {
    let open = 0;
    const counting: Open = () => {
      const backend = memoryBackend();
      open += 1;
      const commit = () => Promise.reject(new StorageError('no'));
      return {
        ...backend,
        getConnection: async () => ({ ...forwardingConnection(await backend.getConnection()), commit }),
        close: async () => void (open -= 1),
      };
    };
    const tests = suiteFor(counting, { runs: false });
    const failed = await failing(tests);
    expect(failed.length).toBeGreaterThan(5);
    expect(failed.length).toBeLessThan(tests.size);
    expect(open).toBe(0);
  });

  it('for backends that keep copies is not passed by one that does not', async () => {
    const tests = (deepCopy: boolean) =>
      collected((runner) => copyingBackendSuite({ name: 'x', open: () => memoryBackend({ deepCopy }), ...runner }));
    expect(await failing(tests(true))).toEqual([]);
    expect(await failing(tests(false))).toHaveLength(4);
  });
});

/** A store behind a connection that can be cut: what is under way then fails, made or not. */
function cuttable({ reconnects = true, mayLoseCommits = false } = {}) {
  const lost = new StorageError('the connection was lost');
  let cuts = 0;
  const open = (): PersistenceBackend => {
    const backend = memoryBackend();
    let cutsBefore = cuts;
    const around = async <Result>(call: () => Promise<Result>): Promise<Result> => {
      const before = cuts;
      // Half of what is cut was made, and half was not.
      const late = before % 2 === 0 ? undefined : call();
      await new Promise((resolve) => setImmediate(resolve));
      if (cuts > before || (!reconnects && cuts > cutsBefore)) throw lost;
      return late ?? call();
    };
    const getConnection = async () => {
      cutsBefore = cuts;
      const connection = await backend.getConnection();
      const forgetful: Connection = mayLoseCommits
        ? { ...forwardingConnection(connection), commit: ({ id: _, ...unit }) => connection.commit(unit) }
        : connection;
      return forwardingConnection(forgetful, around);
    };
    return { ...backend, getConnection };
  };
  return {
    tests: new Map(
      [...suiteFor(open, { runs: false, interrupt: () => void (cuts += 1) })].filter(([name]) => /are cut/.test(name)),
    ),
    cuts: () => cuts,
  };
}

describe('the suite for connections that are cut', () => {
  it('is part of the suite where they can be cut, and passed by a backend that connects anew', async () => {
    const { tests, cuts } = cuttable();
    expect(tests.size).toBe(7);
    expect(await failing(tests)).toEqual([]);
    expect(cuts()).toBeGreaterThan(30);
  });

  it('is not passed by one that does not', async () => {
    expect(await failing(cuttable({ reconnects: false }).tests)).not.toEqual([]);
  });

  it('is not passed by one that does not know a commit again', async () => {
    expect(await failing(cuttable({ mayLoseCommits: true }).tests)).not.toEqual([]);
  });
});
