import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  appendFileSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { InvalidFormatError, NotFoundError, StorageError } from '../../src/errors.js';
import { put } from '../../src/persistence/atom-details.js';
import type { Connection, PersistenceBackend } from '../../src/persistence/backend.js';
import { directoryBackend } from '../../src/persistence/backends/path/directory.js';
import type { DirectoryBackendOptions } from '../../src/persistence/backends/path/directory.js';
import { systemFiles } from '../../src/persistence/backends/path/files.js';
import type { Files } from '../../src/persistence/backends/path/files.js';
import { safeName } from '../../src/safe-name.js';
import { fetch } from '../../src/persistence/fetch.js';
import { describeCopyingBackend, describePersistenceBackend } from './backend-suite.js';
import { watchedFiles } from './faulty-files.js';
import { aBook, aFlow, aTask } from './made-up-runs.js';
import { race } from './racing-writers.js';

const folders: string[] = [];
const backends: PersistenceBackend[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flowstate-directory-'));
  folders.push(folder);
  return join(folder, 'runs');
}

function opened(options: DirectoryBackendOptions): PersistenceBackend {
  const backend = directoryBackend({ synchronous: 'NORMAL', ...options });
  backends.push(backend);
  return backend;
}

async function connect(options: DirectoryBackendOptions): Promise<Connection> {
  const connection = await opened(options).getConnection();
  await connection.upgrade();
  return connection;
}

afterEach(async () => {
  for (const backend of backends.splice(0)) await backend.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describePersistenceBackend('directory', () => directoryBackend({ path: newFolder(), synchronous: 'NORMAL' }));
describePersistenceBackend('directory that folds after each commit', () =>
  directoryBackend({ path: newFolder(), synchronous: 'NORMAL', journalBytes: 0 }),
);
describeCopyingBackend('directory', () => directoryBackend({ path: newFolder() }));

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
}

describe('a folder of runs', () => {
  it('has one file a record once it is closed', async () => {
    const path = newFolder();
    const backend = opened({ path });
    const connection = await backend.getConnection();
    await connection.upgrade();
    const atom = { ...aTask('a'), uuid: 'my-atom' };
    const flow = { ...aFlow('f', atom), uuid: 'My Flow' };
    await connection.saveLogbook({ ...aBook('book', flow), uuid: 'book' });
    await backend.close();
    expect(filesIn(path)).toEqual([
      'atom_details',
      'atom_details/my-atom.json',
      'books',
      'books/book.json',
      'flow_atoms',
      'flow_atoms/%4dy%20%46low.json',
      'flow_details',
      'flow_details/%4dy%20%46low.json',
      'journal',
      'journal_pages',
    ]);
    expect(JSON.parse(readFileSync(join(path, 'flow_details/%4dy%20%46low.json'), 'utf8'))).toMatchObject({
      uuid: 'My Flow',
      bookUuid: 'book',
      revision: 0,
    });
  });

  it('is found again by the next process', async () => {
    const path = newFolder();
    const book = aBook('book', aFlow('f', put(aTask('a'), 'SUCCESS', { seats: [1, 2] })));
    const first = opened({ path });
    await (await connectTo(first)).saveLogbook(book);
    await first.close();
    const second = await connect({ path });
    await second.validate();
    expect(await second.getLogbooks()).toEqual([book]);
  });

  it('is found again when the last process died without closing', async () => {
    const path = newFolder();
    const flow = aFlow('f', aTask('a'));
    const dying = await connect({ path });
    await dying.saveLogbook(aBook('book', flow));
    await dying.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms: [] });
    const next = await connect({ path });
    expect(await next.getFlowDetail(flow.uuid)).toEqual({ ...flow, revision: 1, state: 'RUNNING' });
  });

  it('is made by upgrade alone, and reading makes nothing', async () => {
    const path = newFolder();
    const connection = await opened({ path }).getConnection();
    await expect(connection.getLogbooks()).rejects.toThrow(/has no journal: .* has to be upgraded first/);
    await expect(connection.validate()).rejects.toThrow(StorageError);
    await expect(connection.saveLogbook(aBook('b'))).rejects.toThrow(StorageError);
    expect(existsSync(path)).toBe(false);
    await connection.upgrade();
    const before = filesIn(path);
    await expect(connection.getFlowDetail('none')).rejects.toThrow(NotFoundError);
    await expect(connection.getLogbook('none')).rejects.toThrow(NotFoundError);
    expect(filesIn(path)).toEqual(before);
  });

  it('cannot be used after it was closed', async () => {
    const backend = opened({ path: newFolder() });
    const connection = await connectTo(backend);
    const saving = connection.saveLogbook(aBook('pending'));
    await backend.close();
    await expect(saving).resolves.toMatchObject({ name: 'pending' });
    await expect(connection.getLogbooks()).rejects.toThrow(/is closed/);
    await backend.close();
  });

  it('lets exactly one of several writers win each revision', async () => {
    const path = newFolder();
    const writers = await Promise.all([1, 2, 3].map(() => connect({ path, journalBytes: 2000 })));
    const flow = aFlow('f', aTask('a'));
    await writers[0]?.saveLogbook(aBook('book', flow));
    const revisions = 30;
    const wins = await race(writers, flow, revisions);
    expect(wins.reduce((sum, won) => sum + won, 0)).toBe(revisions);
  });

  it('never shows half a commit to another that reads', async () => {
    const path = newFolder();
    const [writer, reader] = [await connect({ path, journalBytes: 20_000 }), await connect({ path })];
    const flow = aFlow('f', ...Array.from({ length: 20 }, (_, index) => aTask(`a${index}`, index)));
    await writer.saveLogbook(aBook('book', flow));
    const commits = 40;
    let reads = 0;
    const reading = (async () => {
      for (let seen = 0; seen < commits; reads += 1) {
        const { revision, atoms } = await reader.getFlowDetail(flow.uuid);
        const expected = revision === 0 ? null : revision;
        expect(new Set(atoms.map(({ results }) => results))).toEqual(new Set([expected]));
        seen = revision;
      }
    })();
    for (let revision = 0; revision < commits; revision += 1) {
      const atoms = flow.atoms.map((atom) => put(atom, 'SUCCESS', revision + 1));
      await writer.commit({ flowUuid: flow.uuid, expectedRevision: revision, atoms });
    }
    await reading;
    expect(reads).toBeGreaterThan(1);
  });

  it('makes each commit durable once: of several that are made at once, all together', async () => {
    const path = newFolder();
    const calls: (keyof Files)[] = [];
    const connection = await connect({
      path,
      synchronous: 'FULL',
      files: watchedFiles(systemFiles, (_, name) => void calls.push(name)),
    });
    const flows = [aFlow('f', aTask('a')), aFlow('g', aTask('a')), aFlow('h', aTask('a'))];
    await connection.saveLogbook(aBook('book', ...flows));
    calls.length = 0;
    const [first] = flows;
    await connection.commit({ flowUuid: first?.uuid ?? '', expectedRevision: 0, atoms: [] });
    const synced = () => calls.filter((name) => name === 'writeFrom' || name === 'syncFolder').length;
    expect(synced()).toBe(1);
    calls.length = 0;
    await Promise.all(
      flows.slice(1).map((flow) => connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [] })),
    );
    expect(synced()).toBe(1);
  });
});

async function connectTo(backend: PersistenceBackend): Promise<Connection> {
  const connection = await backend.getConnection();
  await connection.upgrade();
  return connection;
}

describe('in a folder of runs', () => {
  async function folderWith(): Promise<{
    path: string;
    book: ReturnType<typeof aBook>;
    other: ReturnType<typeof aBook>;
  }> {
    const path = newFolder();
    const book = aBook('book', aFlow('f', aTask('a')));
    const other = aBook('other', aFlow('g', aTask('a')));
    const backend = opened({ path });
    const connection = await connectTo(backend);
    await connection.saveLogbook(book);
    await connection.saveLogbook(other);
    await backend.close();
    return { path, book, other };
  }

  it.each([
    ['nothing', ''],
    ['half of it', '{"uuid":"'],
    ['another type', '[1]'],
    ['the uuid of another', '{"uuid":"another"}'],
    ['fields that are wrong', null],
  ])('a record that has %s is named, and others can be read', async (_, content) => {
    const { path, book, other } = await folderWith();
    const uuid = book.flows[0]?.uuid ?? '';
    writeFileSync(join(path, 'flow_details', `${uuid}.json`), content ?? JSON.stringify({ uuid, revision: 'one' }));
    const connection = await connect({ path });
    for (const ask of [
      () => connection.getFlowDetail(uuid),
      () => connection.getLogbook(book.uuid),
      () => connection.getLogbooks(),
      () => connection.findFlowDetails(),
      () => connection.commit({ flowUuid: uuid, expectedRevision: 0, atoms: [] }),
    ]) {
      await expect(ask()).rejects.toThrow(InvalidFormatError);
      await expect(ask()).rejects.toThrow(`flow_details/${uuid} is corrupted`);
    }
    expect(await connection.getLogbook(other.uuid)).toEqual(other);
    expect(await connection.getLogbooks({ lazy: true })).toHaveLength(2);
  });

  it('a corrupted atom is named, and its flow can be read without atoms', async () => {
    const { path, book } = await folderWith();
    const [flow] = book.flows;
    writeFileSync(join(path, 'atom_details', `${flow?.atoms[0]?.uuid}.json`), 'x');
    const connection = await connect({ path });
    await expect(connection.getFlowDetail(flow?.uuid ?? '')).rejects.toThrow(
      /atom_details\/.* is corrupted: it is not JSON/,
    );
    expect(await connection.getFlowDetail(flow?.uuid ?? '', { lazy: true })).toMatchObject({ name: 'f' });
  });

  it('files of others are left alone', async () => {
    const { path, book, other } = await folderWith();
    for (const name of ['README.md', '.DS_Store', 'Copy of x.json', '.json', 'x.json.tmp', 'lock.old'])
      writeFileSync(join(path, 'books', name), 'x');
    mkdirSync(join(path, 'books', 'folder'));
    const connection = await connect({ path });
    expect(new Set(await connection.getLogbooks())).toEqual(new Set([book, other]));
    await connection.clearAll();
    expect(await connection.getLogbooks()).toEqual([]);
    expect(existsSync(join(path, 'books', 'README.md'))).toBe(true);
  });

  it('a record that is a link is not followed', async () => {
    const { path, book } = await folderWith();
    const file = join(path, 'books', `${book.uuid}.json`);
    const elsewhere = join(path, '..', 'elsewhere.json');
    writeFileSync(elsewhere, readFileSync(file));
    rmSync(file);
    symlinkSync(elsewhere, file);
    const connection = await connect({ path });
    await expect(connection.getLogbook(book.uuid)).rejects.toThrow(StorageError);
    await expect(connection.getLogbook(book.uuid)).rejects.toMatchObject({ cause: { code: 'ELOOP' } });
  });

  it('a journal that ends in the middle of a commit is read up to there, and written on', async () => {
    const path = newFolder();
    const flow = aFlow('f', aTask('a'));
    const dying = await connect({ path });
    await dying.saveLogbook(aBook('book', flow));
    const journal = join(path, 'journal');
    const whole = readFileSync(journal);
    await dying.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms: [] });
    const entry = readFileSync(journal).length - whole.length;
    for (const cut of [1, 2, Math.floor(entry / 2), entry - 1]) {
      truncateSync(journal, whole.length + entry - cut);
      const next = await connect({ path });
      expect(await next.getFlowDetail(flow.uuid)).toEqual(flow);
      await next.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms: [] });
      expect(await next.getFlowDetail(flow.uuid)).toMatchObject({ revision: 1, state: 'RUNNING' });
    }
  });

  it('a journal with a damaged commit in its middle is refused', async () => {
    const path = newFolder();
    const flow = aFlow('f');
    const first = await connect({ path });
    await first.saveLogbook(aBook('book', flow));
    const journal = join(path, 'journal');
    const before = readFileSync(journal, 'utf8');
    await first.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [] });
    const after = readFileSync(journal, 'utf8').slice(before.length);
    writeFileSync(journal, before.replace('"revision', '"revisiom') + after);
    await expect((await opened({ path }).getConnection()).getLogbooks()).rejects.toThrow(InvalidFormatError);
  });

  it('a journal of another version is refused', async () => {
    const { path } = await folderWith();
    writeFileSync(join(path, 'journal'), 'flowstate journal 2 and more\n');
    await expect((await opened({ path }).getConnection()).upgrade()).rejects.toThrow(
      /is not a journal that this version/,
    );
    appendFileSync(join(path, 'journal'), '\n');
    await expect((await opened({ path }).getConnection()).getLogbooks()).rejects.toThrow(InvalidFormatError);
  });
});

describe('the options of a directory backend', () => {
  it.each(['directory', 'dir', 'file'])('are found under %s', async (name) => {
    expect((await fetch(`${name}:runs?synchronous=normal`)).name).toBe(`directory:${resolve('runs')}`);
    expect((await fetch(`${name}:///var/runs`)).name).toBe(`directory:${resolve('/var/runs')}`);
    await expect(fetch(name)).rejects.toThrow(TypeError);
  });

  it.each([
    [{ path: '' }, 'path takes the name of a folder, got ""'],
    [{ path: 'x', lockTimeoutMs: -1 }, 'lockTimeoutMs takes a number from 0, got -1'],
    [{ path: 'x', journalBytes: NaN }, 'journalBytes takes a number from 0, got NaN'],
    [{ path: 'x', synchronous: 'OFF' as 'FULL' }, 'synchronous takes NORMAL or FULL, got OFF'],
  ])('are checked: %o', (options, message) => {
    expect(() => directoryBackend(options)).toThrow(new TypeError(message));
  });
});

describe('the name of a record', () => {
  it('is safe as the name of a file, and different for different uuids', () => {
    const uuids = [
      '',
      '.',
      '..',
      '/',
      '\0',
      '\\',
      'a',
      'A',
      'é',
      'e\u0301',
      '\ud83d',
      '%61',
      'con',
      '%con',
      'x'.repeat(5000),
      'x'.repeat(5001),
    ];
    const keys = uuids.map(safeName);
    expect(new Set(keys).size).toBe(uuids.length);
    for (const key of keys) expect(key).toMatch(/^[a-z0-9_%~-]{1,160}$/);
    expect(safeName('0190b7d4-6f00-7000-8000-000000000000')).toBe('0190b7d4-6f00-7000-8000-000000000000');
    expect(keys).not.toContain('con');
  });
});
