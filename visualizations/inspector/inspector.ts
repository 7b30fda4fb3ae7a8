import type { Engine } from '../../src/engines/engine.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { EngineSource } from './engine-source.js';
import { pageHtml } from './page-html.js';
import type { Inspector, InspectorServerOptions } from './server.js';
import { serve } from './server.js';
import type { RunSource } from './run-source.js';
import type { StoredRunOptions } from './stored-source.js';
import { StoredSource } from './stored-source.js';
import type { ValueWordsOptions } from './value-words.js';

export interface InspectorOptions extends InspectorServerOptions, ValueWordsOptions {}

/**
 * Serves a page that shows the run of an engine while it goes on: its flow with the state of each atom, the
 * statecharts, what happened when, what waits for what, and any moment of it again. Nothing can be changed by it, and
 * the process does not go on for it unless `keepAlive` is set. Ends with the engine.
 *
 * ```ts
 * await using page = await inspector(engine);
 * console.log(page.url);
 * await engine.run();
 * ```
 *
 * @param options.showValues - Arguments and results are said to be there and not shown, unless this is set. What a store
 * that keeps secrets keeps is never shown.
 * @throws as `engine.compile()`, and what Node throws when it cannot listen.
 */
export async function inspector(engine: Engine, options: InspectorOptions = {}): Promise<Inspector> {
  const source = new EngineSource(engine, options);
  try {
    return await serve(source, options);
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * The page of a run as it is now, as one text that needs no network and nothing beside it: to be saved as a file. It
 * may hold secrets where `showValues` is set.
 *
 * @throws as `engine.compile()`; where the run has a journal, as `engine.journal()`.
 */
export async function inspectorPage(engine: Engine, options: ValueWordsOptions = {}): Promise<string> {
  return pageOf(new EngineSource(engine, options));
}

/** What is needed to look at a stored run. */
export interface StoredRun extends StoredRunOptions {
  readonly backend: PersistenceBackend;
  /** The uuid of its flow detail. */
  readonly run: string;
}

/**
 * As `inspector`, for a run that is stored: one that has ended, or that another process runs. The store is only read.
 *
 * @throws {NotFoundError} when the run is not stored.
 */
export async function storedInspector(stored: StoredRun, options: InspectorServerOptions = {}): Promise<Inspector> {
  const { backend, run, ...sourceOptions } = stored;
  const source = await StoredSource.open(backend, run, sourceOptions);
  try {
    return await serve(source, options);
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * As `inspectorPage`, for a run that is stored.
 *
 * @throws {NotFoundError} when the run is not stored.
 */
export async function storedInspectorPage({ backend, run, ...options }: StoredRun): Promise<string> {
  return pageOf(await StoredSource.open(backend, run, options));
}

async function pageOf(source: RunSource): Promise<string> {
  try {
    await source.look();
    return pageHtml({ picture: source.picture(), live: null });
  } finally {
    source.close();
  }
}
