import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path/posix';
import { alg } from '@dagrejs/graphlib';
import { describe, expect, it } from 'vitest';
import {
  ARROWS,
  arrowGraph,
  circles,
  platformUses,
  roomsOf,
  strayImplementations,
  strayImports,
  strayPackages,
} from './architecture/rules.js';
import { parseSource } from './architecture/source.js';

const repository = join(import.meta.dirname, '..');
const { peerDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  peerDependencies: Record<string, string>;
};
const drivers = Object.keys(peerDependencies);
const sources = ['src', 'machines', 'visualizations'].flatMap((folder) =>
  readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => parseSource(join(folder, path), readFileSync(join(repository, folder, path), 'utf8'))),
);

describe('the library', () => {
  it('has no room that the picture lacks', () => {
    const known = new Set([...Object.keys(ARROWS), 'machines']);
    expect([...roomsOf(sources)].filter((room) => !known.has(room))).toEqual([]);
  });

  it('imports along the arrows of the picture', () => {
    expect(strayImports(sources)).toEqual([]);
  });

  it('leaves the choice of implementations to its caller', () => {
    expect(strayImplementations(sources)).toEqual([]);
  });

  it('imports drivers in their backends alone, and only XState in machines and interpreter', () => {
    expect(strayPackages(sources, drivers)).toEqual([]);
  });

  it('has no files that import each other in a circle', () => {
    expect(circles(sources)).toEqual([]);
  });

  it('takes time, timers, ids and randomness from the environment', () => {
    expect(platformUses(sources)).toEqual([]);
  });
});

describe('the rules', () => {
  const parse = (files: Record<string, string>) => Object.entries(files).map(([path, text]) => parseSource(path, text));

  it('have a picture without circles, even with the arrows for types', () => {
    expect(alg.findCycles(arrowGraph({ types: true }))).toEqual([]);
  });

  it('let a room import along several arrows, machines, and what all rooms stand on', () => {
    const text = `
      import { task } from '../atoms/task.js';
      import { taskMachine } from '../../machines/task.js';
      import { NotFoundError } from '../errors.js';
    `;
    expect(strayImports(parse({ 'src/engines/engine.ts': text, 'visualizations/draw.ts': '' }))).toEqual([]);
  });

  it.each([
    ['src/atoms/task.ts', `import { compile } from '../compiler/compile.js'`, 'no arrow leads from atoms to compiler'],
    ['src/atoms/task.ts', `export type { Plan } from '../compiler/plan.js'`, 'no arrow leads from atoms to compiler'],
    ['src/atoms/task.ts', `const plan = await import('../compiler/plan.js')`, 'no arrow leads from atoms to compiler'],
    ['src/atoms/task.ts', `let plan: import('../compiler/plan.js').Plan`, 'no arrow leads from atoms to compiler'],
    ['src/atoms/task.ts', `import '../index.js'`, 'only callers import it'],
    ['src/errors.ts', `import { task } from './atoms/task.js'`, 'every room stands on this file'],
    ['src/index.ts', `import { runCase } from '../test/conformance/run.js'`, 'it is no part of the library'],
    ['src/kitchen/pan.ts', `import { task } from '../atoms/task.js'`, 'no arrow leads from kitchen to atoms'],
    ['machines/task.ts', `import { NotFoundError } from '../src/errors.js'`, 'machines import nothing of src/'],
    ['machines/task.ts', `import { task } from '../src/atoms/task.js'`, 'no arrow leads from machines to atoms'],
    ['visualizations/draw.ts', `import { Engine } from '../src/engines/engine.js'`, 'no arrow leads from visual'],
  ])('object to %s: %s', (path, text, objection) => {
    expect(strayImports(parse({ [path]: text }))).toEqual([expect.stringContaining(objection)]);
  });

  it.each([`import type { Engine }`, `import { type Engine }`, `export type { Engine }`, `export { type Engine }`])(
    'let visualizations `%s` from engines',
    (clause) => {
      const text = `${clause} from '../src/engines/engine.js'`;
      expect(strayImports(parse({ 'visualizations/draw.ts': text }))).toEqual([]);
    },
  );

  it('object to an implementation that a room chose by itself', () => {
    const files = {
      'src/engines/load.ts': `import { sqlite } from '../persistence/backends/sql/sqlite.js'`,
      'src/persistence/fetch.ts': `import { sqlite } from './backends/sql/sqlite.js'`,
      'src/index.ts': `import { sqlite } from './persistence/backends/sql/sqlite.js'`,
    };
    expect(strayImplementations(parse(files))).toEqual([expect.stringContaining('src/engines/load.ts:1')]);
  });

  it('object to a driver outside of its backend, and to packages in machines', () => {
    const files = {
      'src/engines/load.ts': `const driver = await import('@some/driver/promise')`,
      'src/persistence/backends/some.ts': `import driver from '@some/driver'`,
      'machines/task.ts': `import { readFile } from 'node:fs/promises'; import { setup } from 'xstate'`,
    };
    expect(strayPackages(parse(files), ['@some/driver'])).toEqual([
      expect.stringContaining('src/engines/load.ts:1 imports @some/driver'),
      expect.stringContaining('machines/task.ts:1 imports node:fs/promises'),
    ]);
  });

  it('object to files that import each other in a circle', () => {
    const files = {
      'src/atoms/a.ts': `import { b } from './b.js'`,
      'src/atoms/b.ts': `export * from './c.js'`,
      'src/atoms/c.ts': `import type { A } from './a.js'`,
    };
    expect(circles(parse(files))).toEqual(['src/atoms/a.ts, src/atoms/b.ts, src/atoms/c.ts']);
  });

  it.each([
    'Date.now()',
    'globalThis.Date.now()',
    'const now = Date.now',
    'new Date()',
    'Date()',
    'Math.random()',
    'setTimeout(done, 5)',
    'globalThis.setTimeout(done, 5)',
    'const clock = { setTimeout }',
    'await new Promise(setImmediate)',
    'setInterval(done, 5)',
    'crypto.randomUUID()',
    'performance.now()',
    'AbortSignal.timeout(5)',
    'process.hrtime.bigint()',
    `import { randomUUID as newId } from 'node:crypto'`,
    `import { setTimeout } from 'node:timers/promises'`,
  ])('object to `%s`', (text) => {
    expect(platformUses(parse({ 'src/engines/engine.ts': text }))).not.toEqual([]);
    expect(platformUses(parse({ 'src/environment.ts': text }))).toEqual([]);
  });

  it.each([
    'new Date(clock.now())',
    'Date.parse(text)',
    'clock.setTimeout(done, 5)',
    'const clock = { setTimeout: later }',
    'interface Clock { setTimeout(done: () => void): void }',
    'clearTimeout(handle)',
    `import { createHash } from 'node:crypto'`,
    '// Date.now()',
    'const text = "setTimeout(done, 5)"',
  ])('let `%s` be', (text) => {
    expect(platformUses(parse({ 'src/engines/engine.ts': text }))).toEqual([]);
  });
});
