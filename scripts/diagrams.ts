/**
 * `npm run diagrams`: draws everything in `visualizations/diagrams/` anew, and puts diagrams into the pages that show them.
 *
 * With `--check` nothing is written: what is not as it would be drawn is named, and the exit code is 1.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyStateMachine } from 'xstate';
import * as machines from '../machines/index.js';
import { pictureToDot } from '../visualizations/dot.js';
import {
  DIAGRAM_FORMATS,
  type DiagramFormat,
  drawFlow,
  drawMachine,
  machineToMarkdown,
} from '../visualizations/index.js';
import { pictureToFlowchart } from '../visualizations/mermaid.js';
import { pictureToSvg } from '../visualizations/svg.js';
import { pictureOfRooms } from './diagrams/architecture.js';
import { albumFlow, albumStates, tripFlow } from './diagrams/example-flows.js';
import { withDiagrams } from './diagrams/in-page.js';
import { workerSequences } from './diagrams/worker-sequences.js';

const DIRECTORY = join('visualizations', 'diagrams');
/** Diagrams stand in it as they are. */
const PAGE = join('docs', 'workers.md');
const MACHINES: readonly AnyStateMachine[] = Object.values(machines);
const ENDINGS: Readonly<Record<DiagramFormat, string>> = {
  mermaid: 'mmd',
  dot: 'dot',
  svg: 'svg',
  scxml: 'scxml',
  stately: 'stately.js',
};

async function drawAll(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const each = (name: string, draw: (format: DiagramFormat) => string) => {
    for (const format of DIAGRAM_FORMATS) files.set(`${name}.${ENDINGS[format]}`, draw(format));
  };
  for (const machine of MACHINES) each(machine.id, (format) => drawMachine(machine, { format }));
  files.set('transitions.md', transitionTables());
  each('trip', (format) => drawFlow(tripFlow(), { format }));
  each('album', (format) => drawFlow(albumFlow(), { format, states: albumStates }));
  const rooms = pictureOfRooms(['src', 'machines', 'visualizations']);
  for (const [name, text] of await workerSequences()) files.set(`${name}.mmd`, text);
  files.set('architecture.mmd', pictureToFlowchart(rooms));
  files.set('architecture.dot', pictureToDot(rooms));
  files.set('architecture.svg', pictureToSvg(rooms));
  return files;
}

function transitionTables(): string {
  const intro =
    '# Transitions\n\n' +
    'Generated from `machines/` by `npm run diagrams`. What is in no row is an illegal transition, which is refused.\n';
  return [intro, ...MACHINES.map((machine) => `## ${machine.id}\n\n${machineToMarkdown(machine)}`)].join('\n');
}

/** Names of files that are missing, different or not drawn any more. */
function staleFiles(drawn: ReadonlyMap<string, string>, present: readonly string[]): string[] {
  const changed = [...drawn].filter(
    ([name, text]) => !present.includes(name) || readFileSync(join(DIRECTORY, name), 'utf8') !== text,
  );
  const leftOver = present.filter((name) => !drawn.has(name));
  return [...changed.map(([name]) => name), ...leftOver].sort();
}

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.find((arg) => arg !== '--check');
  if (unknown !== undefined) throw new TypeError(`diagrams takes --check or nothing, got ${unknown}`);
  const drawn = await drawAll();
  const page = readFileSync(PAGE, 'utf8');
  const newPage = withDiagrams(page, drawn);
  const stale = staleFiles(drawn, existsSync(DIRECTORY) ? readdirSync(DIRECTORY) : []);
  if (args.includes('--check')) {
    for (const name of stale) console.log(`stale: ${join(DIRECTORY, name)}`);
    if (newPage !== page) console.log(`stale: ${PAGE}`);
    if (stale.length > 0 || newPage !== page) console.log('`npm run diagrams` draws them anew.');
    process.exitCode = stale.length === 0 && newPage === page ? 0 : 1;
    return;
  }
  if (newPage !== page) {
    writeFileSync(PAGE, newPage);
    console.log(`drew into ${PAGE}`);
  }
  mkdirSync(DIRECTORY, { recursive: true });
  for (const name of stale) {
    const text = drawn.get(name);
    if (text === undefined) rmSync(join(DIRECTORY, name), { recursive: true });
    else writeFileSync(join(DIRECTORY, name), text);
    console.log(`${text === undefined ? 'removed' : 'drew'} ${join(DIRECTORY, name)}`);
  }
}

await main(process.argv.slice(2));
