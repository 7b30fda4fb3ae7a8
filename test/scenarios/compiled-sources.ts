import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');
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

/** Compiles the sources as they are now. Types are not checked. */
export function compileSources(): CompiledSources {
  const folder = mkdtempSync(join(tmpdir(), 'flowstate-compiled-'));
  const pathOf = (source: string) => join(folder, source.replace(/\.ts$/, '.js'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  for (const source of FOLDERS.flatMap((each) => filesIn(join(ROOT, each)))) {
    const target = pathOf(relative(ROOT, source));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions }).outputText);
  }
  return { pathOf, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}
