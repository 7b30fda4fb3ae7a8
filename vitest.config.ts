import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './scripts/closing-line-reporter.js';
import { SlowestFirst } from './scripts/slowest-first.js';

const here = (path: string) => new URL(path, import.meta.url).pathname;

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
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/seed.ts'],
    exclude: ['dist/**', 'node_modules/**'],
    watch: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A process of its own for each file: tests open databases with native drivers, start worker threads, and end processes.
    pool: 'forks',
    // Processors would be left idle otherwise: many tests wait for servers and processes.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: SlowestFirst },
    reporters: ['default', new ClosingLineReporter()],
    coverage: {
      provider: 'v8',
      include: ['src/**', 'machines/**', 'visualizations/**'],
      exclude: ['visualizations/diagrams/**'],
    },
  },
});
