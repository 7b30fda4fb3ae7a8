import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { faultSuite } from './fault-suite.js';
import { TIMES } from './fault-world.js';

const folder = mkdtempSync(join(tmpdir(), 'flowstate-queues-'));
afterAll(() => rmSync(folder, { recursive: true }));

faultSuite('folders', () => ({ url: `filesystem://${folder}`, transportOptions: { leaseMs: TIMES.leaseMs } }), null);
