import { pathToFileURL } from 'node:url';
import type * as flowstate from '../../src/index.js';
import type * as tasks from './fixtures/tasks.js';
import { compileSources } from '../scenarios/compiled-sources.js';

type Flowstate = typeof flowstate;
type Tasks = typeof tasks;

/** Flowstate and the tasks of the tests as JavaScript: threads and processes load nothing else. */
export interface Pools extends Disposable {
  readonly flowstate: Flowstate;
  readonly tasks: Tasks;
  /** For `taskModules`. */
  readonly taskModule: URL;
  urlOf(source: string): URL;
  pathOf(source: string): string;
}

export async function compilePools(): Promise<Pools> {
  const sources = compileSources();
  const urlOf = (source: string) => pathToFileURL(sources.pathOf(source));
  const taskModule = urlOf('test/executors/fixtures/tasks.ts');
  return {
    flowstate: (await import(/* @vite-ignore */ urlOf('src/index.ts').href)) as Flowstate,
    tasks: (await import(/* @vite-ignore */ taskModule.href)) as Tasks,
    taskModule,
    urlOf,
    pathOf: sources.pathOf,
    [Symbol.dispose]: () => sources[Symbol.dispose](),
  };
}

/** The executors that run tasks outside of the engine's thread. */
export const POOLS = ['workerThreads', 'childProcess'] as const;
