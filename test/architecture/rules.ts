import { Graph, alg } from '@dagrejs/graphlib';
import type { Import, Source } from './source.js';

/**
 * Who may import whom. An arrow reaches everything further along it, and none points back.
 *
 * A room is a folder of `src/`, or one of the folders `machines` and `visualizations`. All may import `machines`.
 */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  // Suites and stand-ins for tests: they run engines, and nobody imports them.
  testing: ['engines', 'workers'],
  cli: ['conductors'],
  conductors: ['jobs', 'engines', 'listeners'],
  jobs: ['persistence', 'notifications'],
  distributed: ['compiler', 'persistence'],
  engines: ['compiler', 'storage', 'executors', 'workers', 'interpreter', 'notifications'],
  workers: ['executors', 'interpreter'],
  executors: ['atoms', 'notifications'],
  listeners: ['notifications', 'formatters'],
  formatters: ['compiler'],
  visualizations: ['compiler', 'formatters', 'storage'],
  compiler: ['flows'],
  flows: ['atoms'],
  storage: ['persistence', 'atoms'],
  // A stored retry keeps the attempts of its atom.
  persistence: ['atoms'],
  // A task tells of its progress.
  atoms: ['notifications'],
  notifications: [],
  interpreter: [],
};

/** Arrows for types alone: what is drawn, heard of or written out is described by the engine that runs it. */
const TYPE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  visualizations: ['engines'],
  listeners: ['engines'],
  formatters: ['engines'],
};

/** What callers import. It stands above all rooms and hands them out. */
const ENTRY_POINTS = new Set(['src/index.ts', 'src/testing/index.ts']);

/** The only file that asks the platform for time, timers, ids and randomness. */
const ENVIRONMENT = 'src/environment.ts';

/** Folders of implementations. A room imports another's interface, never these. */
const IMPLEMENTATIONS = /\/(backends|transports)\//;

/** The packages that a room may import, where they are not all that are in package.json. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = { machines: ['xstate'], interpreter: ['xstate'] };

type Room = string;
const ENTRY: Room = 'entry points';
/** The other files directly in `src/`: errors, failure, environment. Every room may import them; they only each other. */
const FOUNDATION: Room = 'the foundation';
const OUTSIDE: Room = 'outside';

function roomOf(path: string): Room {
  const [first = '', second = '', third] = path.split('/');
  if (first === 'machines' || first === 'visualizations') return first;
  if (first !== 'src') return OUTSIDE;
  if (ENTRY_POINTS.has(path)) return ENTRY;
  return third === undefined ? FOUNDATION : second;
}

export function roomsOf(sources: readonly Source[]): Set<Room> {
  return new Set(sources.map((source) => roomOf(source.path)).filter((room) => room !== ENTRY && room !== FOUNDATION));
}

/** The arrows as a graph. */
export function arrowGraph({ types = false } = {}): Graph {
  const graph = new Graph();
  const arrows = Object.entries(ARROWS).concat(types ? Object.entries(TYPE_ARROWS) : []);
  for (const [from, rooms] of arrows) {
    graph.setEdge(from, 'machines');
    for (const to of rooms) graph.setEdge(from, to);
  }
  return graph;
}

/** Imports that follow no arrow. */
export function strayImports(sources: readonly Source[]): string[] {
  const arrows = arrowGraph();
  const typeArrows = arrowGraph({ types: true });
  return eachImport(sources, (source, imported) => {
    if (imported.file === null) return null;
    const from = roomOf(source.path);
    const to = roomOf(imported.file);
    if (from === to) return null;
    if (to === ENTRY) return 'only callers import it';
    if (from === ENTRY) return to === OUTSIDE ? 'it is no part of the library' : null;
    if (from === FOUNDATION) return to === 'machines' ? null : 'every room stands on this file';
    if (to === FOUNDATION) return from === 'machines' ? 'machines import nothing of src/' : null;
    const picture = imported.typeOnly ? typeArrows : arrows;
    const leadsThere = picture.hasNode(from) && alg.preorder(picture, [from]).includes(to);
    return leadsThere ? null : `no arrow leads from ${from} to ${to}`;
  });
}

/** Imports of an implementation by a room that is not its own. The caller chooses implementations. */
export function strayImplementations(sources: readonly Source[]): string[] {
  return eachImport(sources, (source, imported) => {
    const implementation = imported.file !== null && IMPLEMENTATIONS.test(imported.file) ? imported.file : null;
    if (implementation === null) return null;
    const from = roomOf(source.path);
    const mayChoose = from === roomOf(implementation) || from === ENTRY || from === 'cli';
    return mayChoose ? null : `${from} has to be given its implementations`;
  });
}

/** Imports of packages that a room does without. `drivers` are the optional peer dependencies. */
export function strayPackages(sources: readonly Source[], drivers: readonly string[]): string[] {
  return eachImport(sources, (source, imported) => {
    if (imported.package === null) return null;
    const room = roomOf(source.path);
    const allowed = PACKAGES[room];
    if (allowed !== undefined && !allowed.includes(imported.package))
      return `${room} import only ${allowed.join(', ')}`;
    const isDriver = drivers.includes(imported.package) && !IMPLEMENTATIONS.test(source.path);
    return isDriver ? 'a driver is imported by its backend alone' : null;
  });
}

/** Files that import each other in a circle, types included. */
export function circles(sources: readonly Source[]): string[] {
  const graph = new Graph();
  for (const source of sources) {
    for (const { file } of source.imports) if (file !== null) graph.setEdge(source.path, file);
  }
  return alg.findCycles(graph).map((cycle) => cycle.toSorted().join(', '));
}

/** What asks the platform for time, timers, ids or randomness, outside of the one file that may. */
export function platformUses(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => path !== ENVIRONMENT && roomOf(path) !== 'visualizations')
    .flatMap(({ path, platformUses }) => platformUses.map(({ line, what }) => `${path}:${line} uses ${what}`));
}

function eachImport(
  sources: readonly Source[],
  objectionTo: (source: Source, imported: Import) => string | null,
): string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((imported) => {
      const objection = objectionTo(source, imported);
      const what = imported.file ?? imported.package ?? '';
      return objection === null ? [] : [`${source.path}:${imported.line} imports ${what}: ${objection}`];
    }),
  );
}
