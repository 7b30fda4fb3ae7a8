import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const COMPILER = join(ROOT, 'node_modules/typescript7/bin/tsc');
const FOLDERS = [
  'machines',
  'src',
  'scripts',
  'test/executors/fixtures',
  'test/kills',
  'test/persistence',
  'test/scenarios/programs',
  'test/workers/programs',
  'visualizations',
];

/** The sources as JavaScript, in a folder of their own, for processes that have nothing but Node.js. */
export interface CompiledSources extends Disposable {
  /** The path of a compiled file, from that of its source. */
  pathOf(source: string): string;
}

/** Compiles the sources as they are now. Types are not checked, nor are the declarations of packages read. */
export function compileSources(): CompiledSources {
  const folder = mkdtempSync(join(tmpdir(), 'flowstate-compiled-'));
  const pathOf = (source: string) => join(folder, source.replace(/\.ts$/, '.js'));
  // Programs that import flowstate by its name get these sources.
  const manifest = { name: 'flowstate', type: 'module', exports: './src/index.js' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const only = { noCheck: true, noResolve: true, types: [], incremental: false, tsBuildInfoFile: null };
  const without = { declaration: false, declarationMap: false, sourceMap: false, inlineSources: false };
  const config = {
    extends: join(ROOT, 'tsconfig.build.json'),
    compilerOptions: { ...only, ...without, outDir: folder },
    include: FOLDERS.map((each) => join(ROOT, each)),
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  execFileSync(process.execPath, [COMPILER, '-p', folder], { stdio: ['ignore', 'inherit', 'inherit'] });
  return { pathOf, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
