import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, it } from 'vitest';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { sqliteBackend } from '../../src/persistence/backends/sql/sqlite.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { rivalry } from '../../src/testing/backend-suite/rivals.js';

const folder = mkdtempSync(join(tmpdir(), 'flowstate-rivals-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const kind = fc.constantFrom('serial' as const, 'parallel' as const);
const rivalries = fc.record({
  groups: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
  engines: fc.tuple(kind, kind),
  headStart: fc.nat(8),
  seed: fc.nat(),
});

describe('C5: of two engines on one run, whatever the interleaving of their commits, one goes on and the other stops', () => {
  it('in memory', async () => {
    await fc.assert(
      fc.asyncProperty(rivalries, async (given) => {
        const backend = memoryBackend();
        await rivalry({ first: backend, second: backend }, given);
      }),
      { numRuns: 100 },
    );
  });

  it('in an SQLite file that each has opened for itself', async () => {
    const path = join(folder, 'runs.db');
    const [first, second] = [
      sqliteBackend({ path, synchronous: 'NORMAL' }),
      sqliteBackend({ path, synchronous: 'NORMAL' }),
    ];
    await usingConnection(first, (connection) => connection.upgrade());
    try {
      await fc.assert(
        fc.asyncProperty(rivalries, (given) => rivalry({ first, second }, given)),
        { numRuns: 30 },
      );
    } finally {
      await second.close();
      await first.close();
    }
  });
});
