import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StorageError } from '../../src/errors.js';
import { put } from '../../src/persistence/atom-details.js';
import type { Connection, PersistenceBackend } from '../../src/persistence/backend.js';
import { directoryBackend } from '../../src/persistence/backends/path/directory.js';
import type { DirectoryBackendOptions } from '../../src/persistence/backends/path/directory.js';
import { systemFiles } from '../../src/persistence/backends/path/files.js';
import type { Files } from '../../src/persistence/backends/path/files.js';
import type { LogBook } from '../../src/persistence/details.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { watchedFiles } from './faulty-files.js';
import { aBook, aFlow, aTask } from './made-up-runs.js';

const folders: string[] = [];
const backends: PersistenceBackend[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flowstate-directory-faults-'));
  folders.push(folder);
  return folder;
}

async function connect(path: string, options: Partial<DirectoryBackendOptions> = {}): Promise<Connection> {
  const backend = directoryBackend({ path, synchronous: 'NORMAL', ...options });
  backends.push(backend);
  return backend.getConnection();
}

async function closeAll(): Promise<void> {
  for (const backend of backends.splice(0)) await backend.close();
}

afterEach(async () => {
  await closeAll();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder with one run of three atoms, at revision 0. */
async function folderWith(book: LogBook): Promise<string> {
  const path = newFolder();
  const connection = await connect(path);
  await connection.upgrade();
  await connection.saveLogbook(book);
  await closeAll();
  return path;
}

const aRun = () => aBook('book', aFlow('f', aTask('a', 0), aTask('b', 1), aTask('c', 2)));

describe('a folder whose disk fails', () => {
  /** What a connection is asked to do, to a store with two runs. */
  const changes: Record<string, (connection: Connection, book: LogBook) => Promise<unknown>> = {
    commit: (connection, { flows: [flow] }) =>
      connection.commit({
        flowUuid: flow?.uuid ?? '',
        id: 'x',
        expectedRevision: 0,
        state: 'RUNNING',
        atoms: [...(flow?.atoms ?? []).map((atom) => put(atom, 'SUCCESS', 1)), { ...aTask('d', 3), uuid: 'd' }],
      }),
    saveLogbook: (connection, book) =>
      connection.saveLogbook({ ...book, name: 'renamed', flows: [{ ...aFlow('h', aTask('a')), uuid: 'h' }] }),
    destroyLogbook: (connection, book) => connection.destroyLogbook(book.uuid),
    destroyFlowDetail: (connection, { flows: [flow] }) => connection.destroyFlowDetail(flow?.uuid ?? ''),
    clearAll: (connection) => connection.clearAll(),
  };
  const withoutUuids = (books: LogBook[]): unknown =>
    JSON.parse(JSON.stringify(books, (key, value: unknown) => (key === 'uuid' ? undefined : value)));

  describe.each(Object.entries(changes))('during %s', (_, change) => {
    it.each([
      ['once', false],
      ['for good', true],
    ])('and fails %s holds what was there before, or all that was to be written', async (_when, forGood) => {
      const book = { ...aRun(), flows: [...aRun().flows, aFlow('g', aTask('a'))] };
      const outcomes = new Set<string>();
      const reference = await connect(await folderWith(book));
      const before = withoutUuids(await reference.getLogbooks());
      await change(reference, book);
      const after = withoutUuids(await reference.getLogbooks());
      for (let failing = 1, isOver = false; !isOver; failing += 1) {
        const path = await folderWith(book);
        let hasFailed = false;
        const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        const files = watchedFiles(systemFiles, (call) => {
          if (call !== failing && !(forGood && call > failing)) return;
          hasFailed = true;
          throw full;
        });
        const connection = await connect(path, { files, journalBytes: 0, lockTimeoutMs: 0 });
        const failure = await change(connection, book).then(
          () => null,
          (error: unknown) => error,
        );
        if (failure !== null) {
          expect(failure).toBeInstanceOf(StorageError);
          expect(failure).toHaveProperty('cause', full);
        }
        isOver = !hasFailed;
        // A lock that could not be removed is that of this very process: it is broken after the time that others wait.
        const next = await connect(path, { lockTimeoutMs: 0 });
        const found = withoutUuids(await next.getLogbooks());
        if (failure === null) expect(found).toEqual(after);
        else expect([before, after]).toContainEqual(found);
        outcomes.add(
          `${failure === null ? 'done' : 'failed'}, ${JSON.stringify(found) === JSON.stringify(before) ? 'before' : 'after'}`,
        );
        const more = await next.saveLogbook(aBook('more', aFlow('m')));
        expect(await next.getLogbook(more.uuid)).toEqual(more);
        await closeAll();
        expect(readdirSync(path)).not.toContain('lock');
        expect((await (await connect(path)).getLogbooks()).length).toBeGreaterThan(0);
      }
      expect(outcomes).toContain('failed, before');
      expect(outcomes).toContain('done, after');
    });
  });

  it('is read although nothing can be written', async () => {
    const book = aRun();
    const path = await folderWith(book);
    const readOnly = Object.assign(new Error('read-only file system'), { code: 'EROFS' });
    const mayBeCalled: readonly (keyof Files)[] = ['read', 'readParts', 'list'];
    const files = watchedFiles(
      { ...systemFiles, write: () => Promise.reject(readOnly), writeFrom: () => Promise.reject(readOnly) },
      (_, name) => {
        if (!mayBeCalled.includes(name) && !name.startsWith('write')) throw readOnly;
      },
    );
    const connection = await connect(path, { files });
    expect(await connection.getLogbooks()).toEqual([book]);
    const commit = connection.commit({ flowUuid: book.flows[0]?.uuid ?? '', expectedRevision: 0, atoms: [] });
    await expect(commit).rejects.toThrow(/could not commit revision 1 of the flow detail/);
    await expect(commit).rejects.toMatchObject({ name: 'StorageError', cause: readOnly });
    await expect(connection.validate()).rejects.toThrow(StorageError);
  });
});

describe('a folder and several processes', () => {
  let sources: CompiledSources;
  beforeAll(() => {
    sources = compileSources();
  });
  afterAll(() => sources[Symbol.dispose]());

  async function run(...args: readonly string[]): Promise<NodeJS.Signals | null> {
    const program = sources.pathOf('test/scenarios/programs/dies-while-it-commits.ts');
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    child.stderr.on('data', (text: Buffer) => (complaints += text.toString()));
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (signal === null && code !== 0) throw new Error(`the program failed: ${complaints}`);
    return signal;
  }

  it(
    'is whole after a process was killed at any of its calls, and can be written at once',
    { timeout: 300_000 },
    async () => {
      const book = aRun();
      const flowUuid = book.flows[0]?.uuid ?? '';
      const path = await folderWith(book);
      const ledger = join(newFolder(), 'ledger');
      writeFileSync(ledger, '');
      let kills = 0;
      let foundLocks = 0;
      for (let call = 1; (await run(path, ledger, String(call))) === 'SIGKILL'; call += 1) {
        kills += 1;
        if (existsSync(join(path, 'lock'))) foundLocks += 1;
        const committed = Number(readFileSync(ledger, 'utf8').trim().split('\n').at(-1));
        // Nobody waits for the lock of a process that is gone.
        const connection = await connect(path, { lockTimeoutMs: 0 });
        const { revision, atoms } = await connection.getFlowDetail(flowUuid);
        expect([committed, committed + 1]).toContain(revision);
        expect(new Set(atoms.map(({ results }) => results))).toEqual(new Set([revision === 0 ? null : revision]));
        const next = atoms.map((atom) => put(atom, 'SUCCESS', revision + 1));
        await connection.commit({ flowUuid, expectedRevision: revision, atoms: next });
        writeFileSync(ledger, `${revision + 1}\n`);
        backends.splice(0);
      }
      expect(kills).toBeGreaterThan(50);
      expect(foundLocks).toBeGreaterThan(20);
    },
  );
});
