import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqliteBackend } from '../../src/persistence/backends/sql/sqlite.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { compileSources } from './compiled-sources.js';
import type { CompiledSources } from './compiled-sources.js';

const ATOMS = 59;

let sources: CompiledSources;
let folder: string;

beforeAll(() => {
  sources = compileSources();
  folder = mkdtempSync(join(tmpdir(), 'flowstate-killed-'));
});
afterAll(() => {
  sources[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Lines {
  readonly begun: readonly string[];
  readonly ended: readonly string[];
  readonly ran: readonly string[];
}

function linesIn(ledger: string): Lines {
  const lines = existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n').filter(Boolean) : [];
  const of = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  return { begun: of('begin'), ended: of('end'), ran: of('ran') };
}

/** Atoms that the database says are done. */
async function doneIn(database: string): Promise<Set<string>> {
  const backend = sqliteBackend({ path: database });
  try {
    const books = await usingConnection(backend, async (connection) => {
      await connection.upgrade();
      return connection.getLogbooks();
    });
    const atoms = books.flatMap(({ flows }) => flows).flatMap((flow) => flow.atoms);
    return new Set(atoms.filter(({ state }) => state === 'SUCCESS').map(({ name }) => name));
  } finally {
    await backend.close();
  }
}

/**
 * Runs the program, and kills it when so many atoms have begun.
 *
 * @returns whether it came to its end before that.
 */
async function runUntil(begun: number, database: string, ledger: string, engine: string): Promise<boolean> {
  const program = sources.pathOf('test/scenarios/programs/sixty-atoms.ts');
  const child = spawn(process.execPath, [program, database, ledger, engine], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (text: Buffer) => (complaints += text.toString()));
  const watcher = watch(folder, () => {
    if (linesIn(ledger).begun.length >= begun) child.kill('SIGKILL');
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  watcher.close();
  if (signal === null && code !== 0) throw new Error(`the program failed: ${complaints}`);
  return signal === null;
}

describe('a process that is killed while it runs sixty atoms', () => {
  it.each(['serial', 'parallel'])(
    'loses nothing, and executes no finished atom again (%s)',
    async (engine) => {
      const database = join(folder, `${engine}.db`);
      const ledger = join(folder, `${engine}.txt`);
      let kills = 0;
      let isOver = false;
      for (const begun of [1, 12, 25, 40, 58, Infinity]) {
        if (isOver) break;
        const done = await (existsSync(database) ? doneIn(database) : new Set<string>());
        const before = linesIn(ledger).begun.length;
        isOver = await runUntil(Math.max(begun, before + 1), database, ledger, engine);
        if (!isOver) kills += 1;
        const again = linesIn(ledger)
          .begun.slice(before)
          .map((line) => line.split(' ')[0] ?? '');
        expect(again.filter((name) => done.has(name))).toEqual([]);
      }
      expect(isOver).toBe(true);
      expect(kills).toBeGreaterThanOrEqual(3);

      const { begun, ended, ran } = linesIn(ledger);
      expect(ran).toEqual(['SUCCESS']);
      expect(new Set(ended.map((line) => line.split(' ')[0])).size).toBe(ATOMS);
      expect((await doneIn(database)).size).toBe(ATOMS + 1);
      // Each kill can have caught a wave under way; what was begun twice has the same key both times.
      const keys = new Map<string, Set<string>>();
      for (const line of begun) {
        const [name = '', key = ''] = line.split(' ');
        keys.set(name, (keys.get(name) ?? new Set()).add(key));
      }
      expect(keys.size).toBe(ATOMS);
      for (const [name, used] of keys) expect([name, used.size]).toEqual([name, 1]);
      expect(begun.length - ATOMS).toBeLessThanOrEqual(5 * kills);
    },
    60_000,
  );
});
