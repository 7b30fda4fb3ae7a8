import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
/** The fast one: there is a lot to compile. */
const compiler = join(dirname(require.resolve('typescript7/package.json')), 'bin/tsc');
const here = import.meta.dirname;
const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `t${at}`);

const IMPORTS = `
import { task } from '../../../src/atoms/function-task.js';
import { typed } from '../../../src/atoms/validators.js';
import type { StoreOf } from '../../../src/flows/flow-types.js';
import { graph } from '../../../src/flows/graph.js';
import { linear } from '../../../src/flows/linear.js';
import { unordered } from '../../../src/flows/unordered.js';
export { graph, linear, task, typed, unordered };
export type { StoreOf };
`;

const tasks = (count: number): string =>
  names(count)
    .map(
      (name, at) =>
        `const ${name} = task({ name: '${name}', requires: { a${at}: typed<string>(), p${Math.max(0, at - 1)}: typed<number>() }, provides: 'p${at}', execute: ({ a${at} }) => a${at}.length });`,
    )
    .join('\n');

const atOnce = (pattern: string, count: number): string =>
  `${IMPORTS}${tasks(count)}\nexport const flow = ${pattern}('f').add(${names(count).join(', ')});\n`;

const inChain = (pattern: string, count: number): string =>
  `${IMPORTS}${tasks(count)}\nexport const flow = ${pattern}('f')${names(count)
    .map((name) => `.add(${name})`)
    .join('')};\n`;

/** Something wrong is said of the needs of the flow, so that the compiler has to find them out. */
const missing = 'export const store: StoreOf<typeof flow> = {};\n';
const anything = 'export const store: StoreOf<typeof flow> = { whatever: 1 };\n';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(here, 'compiled-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What the compiler says, and how many types it made from generic ones. */
function check(source: string): { readonly errors: readonly string[]; readonly instantiations: number } {
  const file = join(directory, 'source.ts');
  writeFileSync(file, source);
  const options = ['--noEmit', '--ignoreConfig', '--strict', '--exactOptionalPropertyTypes', '--declaration'];
  const platform = ['--target', 'es2023', '--module', 'nodenext', '--types', 'node', '--skipLibCheck'];
  let output: string;
  try {
    output = execFileSync(process.execPath, [compiler, ...options, ...platform, '--extendedDiagnostics', file], {
      encoding: 'utf8',
    });
  } catch (error) {
    output = String((error as { stdout?: unknown }).stdout);
  }
  return {
    errors: [...output.matchAll(/error TS\d+/g)].map(([text]) => text),
    instantiations: Number(/Instantiations:\s+(\d+)/.exec(output)?.[1]),
  };
}

describe('what flows cost the compiler', () => {
  it('stays small for 50 tasks in one call, and for 50 calls', { timeout: 240_000 }, () => {
    const without = check(`${IMPORTS}${tasks(50)}`).instantiations;
    expect(without).toBeGreaterThan(0);
    for (const pattern of ['linear', 'graph', 'unordered']) {
      for (const source of [atOnce(pattern, 50), inChain(pattern, 50)]) {
        const { errors, instantiations } = check(source + missing);
        // The store lacks something: the types of all fifty are known.
        expect(errors).toEqual(['error TS2322']);
        expect(instantiations - without).toBeLessThan(150_000);
      }
    }
  });

  it('has an end: more tasks and more calls than it follows are not known, and no error', { timeout: 240_000 }, () => {
    for (const source of [atOnce('linear', 65), inChain('linear', 100), inChain('graph', 100)]) {
      expect(check(source + anything).errors).toEqual([]);
      expect(check(source + missing).errors).toEqual([]);
    }
  });
});
