/**
 * Joins what tsc has compiled into the few files that the package consists of, as an import is paid by the file.
 *
 * `node scripts/bundle.mjs [DIST]`: DIST/package is made of the rest of DIST.
 *
 * Every door of the package shares the same files, so there is one of each class, whatever a program and its threads
 * import. What is imported when it is needed stays a file of its own, and other packages stay imports.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, isAbsolute, join, resolve, sep } from 'node:path';
import { rolldown } from 'rolldown';

/** What users import. */
const DOORS = {
  index: 'src/index.js',
  machines: 'machines/index.js',
  visualizations: 'visualizations/index.js',
  testing: 'src/testing/index.js',
};
/** What is started, by URL: each stays a file of this name. */
const IN_BACKGROUND = {
  'thread-main': 'src/executors/pool/thread-main.js',
  'process-main': 'src/executors/pool/process-main.js',
  watchdog: 'src/executors/pool/watchdog.js',
  'heart-main': 'src/workers/worker/heart-main.js',
};
const ENTRIES = { ...DOORS, ...IN_BACKGROUND, command: 'src/cli/main.js' };

const [argument = 'dist', ...surplus] = process.argv.slice(2);
if (surplus.length > 0) throw new TypeError(`bundle takes one folder, got ${surplus.join(' ')}`);
const dist = resolve(argument);
const folder = join(dist, 'package');

/** @type {import('rolldown').Plugin} */
const withSourceMaps = {
  name: 'the source maps of tsc',
  load: (id) => ({
    code: readFileSync(id, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, ''),
    map: readFileSync(`${id}.map`, 'utf8'),
  }),
};

/**
 * V8 keeps a source in one byte a character, if it can; with a single ellipsis in it, in two.
 *
 * @type {import('rolldown').Plugin}
 */
const inAscii = {
  name: 'ASCII',
  generateBundle(_options, output) {
    for (const file of Object.values(output)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    }
  },
};

/**
 * The files that are loaded with these.
 *
 * @param {readonly string[]} paths
 * @param {import('rolldown').ChunkingContext} context
 */
function loadedWith(paths, context) {
  const found = new Set(paths.map((path) => join(dist, path)));
  for (const id of found) for (const imported of context.getModuleInfo(id)?.importedIds ?? []) found.add(imported);
  return found;
}

/**
 * A file of what is loaded with one of each list. What two of them could have is in the first, with all that it imports,
 * so none imports a later one.
 *
 * @param {string} name
 * @param {(readonly string[])[]} lists
 */
function group(name, ...lists) {
  /** @type {Set<string>[] | undefined} */
  let loaded;
  /** @type {import('rolldown').CodeSplittingNameFunction} */
  const nameOf = (id, context) => {
    loaded ??= lists.map((paths) => loadedWith(paths, context));
    return loaded.every((ids) => ids.has(id)) ? name : null;
  };
  return { name: nameOf, debugName: name };
}

const bundle = await rolldown({
  cwd: dist,
  input: Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, join(dist, path)])),
  platform: 'node',
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  plugins: [withSourceMaps, inAscii],
  // A backend is imported by its caller, or else when its URL is seen. How long it takes is no fault.
  checks: { ineffectiveDynamicImport: false, bundlerTimings: false },
  onLog(level, log) {
    if (level === 'warn') throw new Error(log.message);
  },
});
const { output } = await bundle.generate({
  dir: folder,
  sourcemap: true,
  // Names of classes are those of errors and tasks.
  keepNames: true,
  comments: false,
  minifyInternalExports: false,
  entryFileNames: '[name].js',
  // `redis/transport.js` and `amqp/transport.js` are two.
  chunkFileNames: ({ name, facadeModuleId }) =>
    name === 'transport' && facadeModuleId ? `${facadeModuleId.split(sep).at(-2)}-transport.js` : '[name].js',
  codeSplitting: {
    groups: [
      group('foundation', Object.values(IN_BACKGROUND), [DOORS.index]),
      group('statecharts', [DOORS.machines]),
      group('engine', [DOORS.index]),
      group('pictures', [DOORS.visualizations]),
    ],
  },
});
await bundle.close();

// Others may be running what is there: what is the same stays, and everything else is replaced whole.
mkdirSync(folder, { recursive: true });
for (const file of output) {
  const path = join(folder, file.fileName);
  const content = Buffer.from(file.type === 'chunk' ? file.code : file.source);
  if (existsSync(path) && readFileSync(path).equals(content)) continue;
  writeFileSync(`${path}.new-${process.pid}`, content);
  renameSync(`${path}.new-${process.pid}`, path);
}
const written = output.map(({ fileName }) => fileName);
for (const name of readdirSync(folder))
  if (!written.includes(name) && !name.includes('.new-')) rmSync(join(folder, name));

for (const chunk of output) {
  if (chunk.type !== 'chunk') continue;
  for (const [, file = ''] of chunk.code.matchAll(/new URL\("([^"]+)", import\.meta\.url\)/g)) {
    if (!written.includes(basename(file)))
      throw new Error(`${chunk.fileName} loads ${file}, which is not in the package`);
  }
}
