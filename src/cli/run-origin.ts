import { factoryDetailsOf, findFactory, makeFlow } from '../engines/factories.js';
import type { FactoryDetails } from '../engines/factories.js';
import { knownFactories } from '../engines/factories.js';
import type { Flow } from '../flows/flow.js';
import type { Task } from '../atoms/task.js';
import type { FlowDetail, Meta } from '../persistence/details.js';
import type { Session } from './session.js';
import { shownStore } from './store-choice.js';
import { UsageError } from './usage-error.js';
import { importModule, loadModule, placeNamed, placeOf } from './user-module.js';

/** The key of a run's metadata under which stands how the command line ran it. */
const OPTIONS = '_flowstate_command_line';

/** How a run is run. Kept with it, so that it is resumed in the same way. */
export interface RunOptions {
  readonly engine?: string | undefined;
  readonly executor?: string | undefined;
  readonly maxWorkers?: number | undefined;
  /** Absolute paths. */
  readonly taskModules?: readonly string[] | undefined;
}

export function withOptions(meta: Meta, options: RunOptions): Meta {
  return { ...meta, [OPTIONS]: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) };
}

/** How a run was run before; nothing of one that the command line did not begin. */
export function optionsOf({ meta }: FlowDetail): RunOptions {
  const { engine, executor, maxWorkers, taskModules } = Object(meta[OPTIONS]) as Record<string, unknown>;
  const isText = (value: unknown): value is string => typeof value === 'string';
  return {
    ...(isText(engine) ? { engine } : {}),
    ...(isText(executor) ? { executor } : {}),
    ...(typeof maxWorkers === 'number' ? { maxWorkers } : {}),
    ...(Array.isArray(taskModules) ? { taskModules: taskModules.filter(isText) } : {}),
  };
}

/** What made the flow of a run; null where its caller brought it along. @throws {InvalidFormatError} when corrupted. */
function originOf(detail: FlowDetail): FactoryDetails | null {
  return (detail.meta['factory'] ?? null) === null ? null : factoryDetailsOf(detail);
}

/** The same for people. */
export function originText(detail: FlowDetail): string | null {
  const origin = originOf(detail);
  if (origin === null) return null;
  const place = placeNamed(origin.name);
  if (place === null) return origin.name;
  return place.exportName === 'default' ? place.path : `${place.path}#${place.exportName}`;
}

/**
 * Makes the flow of a run again: with the module that it came from, or with another one.
 *
 * @param given - Another module. It may export a flow or a factory, which is called with what the run was made with, or
 * register the factory that the run names.
 * @throws {UsageError} when nothing says where the flow comes from, and when that cannot be loaded.
 */
export async function flowOf(detail: FlowDetail, session: Session, given?: string): Promise<Flow | Task> {
  const origin = originOf(detail);
  const { cwd } = session.platform;
  const place = given === undefined ? placeNamed(origin?.name ?? '') : placeOf(given, cwd);
  if (place === null) {
    const why =
      origin === null
        ? 'does not say which module it came from'
        : `was made by the factory ${JSON.stringify(origin.name)}, which is no file`;
    throw new UsageError(`The run ${detail.uuid} of ${detail.name} ${why}: give the module with --module`);
  }
  if (given !== undefined && origin !== null && place.exportName === 'default') {
    // A module that registers factories need not export a flow.
    const exports = await importModule(place.path);
    if (!Object.hasOwn(exports, 'default') && knownFactories.names.includes(origin.name)) {
      return makeFlow(await findFactory(origin.name, origin, knownFactories));
    }
  }
  const { name, factory, factories } = await loadModule(place).catch((error: unknown) => {
    if (given !== undefined || !(error instanceof UsageError)) throw error;
    const message = `${error.message}. The run was made from it: if it is elsewhere now, give it with --module`;
    throw new UsageError(message, { cause: error.cause });
  });
  const { args = [], kwargs } = origin ?? {};
  return makeFlow(await findFactory(name, factory === null ? {} : { args, kwargs }, factories));
}

/** The file that the flow of a run comes from, which its tasks are looked for in, too; null where there is none. */
export function modulePathOf(detail: FlowDetail, { platform }: Session, given?: string): string | null {
  const place = given === undefined ? placeNamed(originOf(detail)?.name ?? '') : placeOf(given, platform.cwd);
  return place?.path ?? null;
}

/** The command that goes on with a run, as it can be typed in. */
export function resumeCommand(uuid: string, { store }: Session): string {
  const backend = store.source === 'option' ? ` --backend ${quoted(shownStore(store))}` : '';
  return `flowstate resume ${uuid}${backend}`;
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
