import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FactoryRegistry } from '../../src/engines/factories.js';
import { loadFromFactory } from '../../src/engines/load-factory.js';
import { sqliteBackend } from '../../src/persistence/backends/sql/sqlite.js';
import { compileSources } from './compiled-sources.js';
import type { CompiledSources } from './compiled-sources.js';
import { makeInvoice } from './programs/invoice-flow.js';

let sources: CompiledSources;
let folder: string;

beforeAll(() => {
  sources = compileSources();
  folder = mkdtempSync(join(tmpdir(), 'flowstate-by-name-'));
});
afterAll(() => {
  sources[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('another process', () => {
  it('resumes runs by the names of their factories, and makes the same plans', async () => {
    const path = join(folder, 'runs.db');
    const backend = sqliteBackend({ path });
    const factories = new FactoryRegistry([['billing/make-invoice@1', makeInvoice]]);
    factories.allowModule('invoices', () => import('./programs/invoice-flow.js'));
    const runs = new Map<string, string | null>();
    for (const factory of ['billing/make-invoice@1', 'invoices#makeInvoice']) {
      const given = { factories, backend, args: [42], kwargs: { dryRun: true }, store: { currency: 'EUR' } };
      const engine = await loadFromFactory(factory, given);
      engine.atomNotifier.register('SUCCESS', () => engine.suspend());
      expect(await engine.run()).toBe('SUSPENDED');
      await engine.close();
      runs.set(engine.storage.flowUuid, engine.storage.planFingerprint);
    }
    await backend.close();

    const program = sources.pathOf('test/scenarios/programs/resume-invoice.ts');
    const printed = execFileSync(process.execPath, [program, path], { encoding: 'utf8' });
    const results = printed
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(results).toEqual(
      Array.from(runs, ([uuid, fingerprint]) => ({
        uuid,
        state: 'SUCCESS',
        sent: 'not sent invoice 42: 3 EUR',
        fingerprint,
      })),
    );
  });
});
