import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './scripts/closing-line-reporter.js';
import { SlowestFirst } from './scripts/slowest-first.js';

const here = (path: string) => new URL(path, import.meta.url).pathname;

const EVERYTHING = 'test/**/*.test.ts';
/**
 * Tests that leave nothing behind in their process: what they run is in memory, or in a file of their own. What takes long
 * itself, and needs a memory that nobody has filled, does not belong here: flows that are large, and properties.
 */
const TOGETHER = [
  '{atoms,compiler,engines,formatters,interpreter,listeners,machines,model-based,notifications,storage,testing}/**/*',
  '{environment,errors,failure,hidden-property,rich-text}',
  'benchmarks/{bounds,options,rounds,workloads}',
  'cli/{control,drawing,keeping,looking,running,values,worker}',
  'conformance/{compare,invariants,runner}',
  'executors/waiting-line',
  'flows/{child-graph,conformance,flow,graph,graph-reference,linear,targeted,unordered}',
  'persistence/{atom-details,books,logbooks,merge,records,value-limits}',
  'persistence/codecs/*',
  'visualizations/{flows,layout,machines,scxml,stately}',
  'visualizations/inspector/{flow-layout,past,picture}',
  'workers/{claims,engine,memory-faults,memory-transport,promises,protocol,quick-check,requests,shared-texts,worker}',
].map((files) => `test/${files}.test.ts`);

export default defineConfig({
  // The package by its own name is its sources, so that the README is run as it stands.
  resolve: {
    alias: [
      { find: /^flowstate$/, replacement: here('src/index.ts') },
      { find: /^flowstate\/(machines|visualizations)$/, replacement: here('$1/index.ts') },
      { find: /^flowstate\/testing$/, replacement: here('src/testing/index.ts') },
    ],
  },
  test: {
    setupFiles: ['test/seed.ts'],
    watch: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    projects: [
      // A process of its own for each file: tests open databases with native drivers, start worker threads, and end processes.
      { extends: true, test: { name: 'alone', include: [EVERYTHING], exclude: ['node_modules/**', ...TOGETHER] } },
      // One process for many files: to load the sources takes longer than most of these tests.
      { extends: true, test: { name: 'together', include: TOGETHER, isolate: false } },
    ],
    // Processors would be left idle otherwise: many tests wait for servers and processes.
    maxWorkers: 2 * availableParallelism(),
    sequence: { sequencer: SlowestFirst },
    reporters: ['default', new ClosingLineReporter()],
    coverage: {
      provider: 'v8',
      include: ['src/**', 'machines/**', 'visualizations/**'],
      exclude: ['visualizations/diagrams/**'],
    },
  },
});
