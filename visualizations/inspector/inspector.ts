import type { Engine } from '../../src/engines/engine.js';
import { EngineSource } from './engine-source.js';
import { pageHtml } from './page-html.js';
import type { Inspector, InspectorServerOptions } from './server.js';
import { serve } from './server.js';
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
 */
export function inspectorPage(engine: Engine, options: ValueWordsOptions = {}): string {
  const source = new EngineSource(engine, options);
  try {
    return pageHtml({ picture: source.picture(), live: null });
  } finally {
    source.close();
  }
}
