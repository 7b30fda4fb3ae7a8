import type { Task } from '../atoms/task.js';
import type { Flow } from '../flows/flow.js';
import type { BackendConf } from '../persistence/fetch.js';
import { fetch } from '../persistence/fetch.js';
import type { FlowDetail } from '../persistence/details.js';
import { usingConnection } from '../persistence/using-connection.js';
import type { Engine } from './engine.js';
import type { FactoryArguments, FactoryRegistry, FlowFactory } from './factories.js';
import { factoryDetailsOf, findFactory, knownFactories, makeFlow, withFactory } from './factories.js';
import type { LoadOptions } from './load.js';
import { loadUntyped } from './load.js';

interface WithRegistry {
  /** Where factories are looked up. @default those of `registerFactory` and `allowFactoryModule` */
  readonly factories?: FactoryRegistry | undefined;
}

interface WithStore {
  /** Values for symbols that no atom provides, by name. */
  readonly store?: Readonly<Record<string, unknown>> | undefined;
}

export type LoadFromFactoryOptions = Omit<LoadOptions, 'flowDetail'> & WithStore & FactoryArguments & WithRegistry;

/**
 * Makes a flow, and an engine for a new run of it that any process can resume: the run knows what made its flow.
 *
 * @param factory - A registered function, its name, or `module-specifier#exportName` of an allowed module.
 * @throws {RangeError} for a function that is not registered; now, and not when the run is resumed.
 * @throws {NotFoundError} for a name that means nothing.
 * @throws {UnstorableValueError} for arguments that do not survive JSON.
 * @throws as `load`.
 * @see TaskFlow `engines/helpers.py`, `load_from_factory`.
 */
export async function loadFromFactory(
  factory: FlowFactory | string,
  { factories = knownFactories, args, kwargs, store, ...others }: LoadFromFactoryOptions = {},
): Promise<Engine> {
  if ('flowDetail' in others && others.flowDetail !== undefined) {
    throw new RangeError('loadFromFactory takes no flowDetail: it begins a new run. Resume one with loadFromDetail');
  }
  const found = await findFactory(factory, { args, kwargs }, factories);
  return loadUntyped(await makeFlow(found), others, store, (meta) => withFactory(meta, found.details));
}

/**
 * Makes the flow of a run again, by the factory that it was stored with.
 *
 * @throws {RangeError} for a run that was not stored with a factory.
 * @throws {NotFoundError} for a factory that cannot be found here.
 * @see TaskFlow `engines/helpers.py`, `flow_from_detail`.
 */
export async function flowFromDetail(
  flowDetail: FlowDetail,
  { factories = knownFactories }: WithRegistry = {},
): Promise<Flow | Task> {
  const { name, args, kwargs } = factoryDetailsOf(flowDetail);
  return makeFlow(await findFactory(name, { args, kwargs }, factories));
}

export type LoadFromDetailOptions = Omit<LoadOptions, 'flowDetail' | 'book'> & WithStore & WithRegistry;

/**
 * Makes an engine that takes up a run, with the flow that its factory makes.
 *
 * @param options.backend - Where the run is kept: it has to be given again.
 * @throws as `flowFromDetail` and `load`.
 * @see TaskFlow `engines/helpers.py`, `load_from_detail`.
 */
export async function loadFromDetail(
  flowDetail: FlowDetail,
  { factories, store, ...others }: LoadFromDetailOptions = {},
): Promise<Engine> {
  const flow = await flowFromDetail(flowDetail, { factories });
  return loadUntyped(flow, { ...others, flowDetail }, store);
}

export type SaveFactoryDetailsOptions = FactoryArguments &
  WithRegistry & {
    /** Where the run is stored already. Default: nothing is written. */
    readonly backend?: BackendConf | undefined;
  };

/**
 * Notes in a run what makes its flow.
 *
 * @returns the flow detail with it; it is stored when there is a backend.
 * @throws {StorageConflictError} when somebody else wrote the run meanwhile.
 * @throws as `loadFromFactory`; nothing is written then.
 * @see TaskFlow `engines/helpers.py`, `save_factory_details`.
 */
export async function saveFactoryDetails(
  flowDetail: FlowDetail,
  factory: FlowFactory | string,
  { factories = knownFactories, args, kwargs, backend: conf }: SaveFactoryDetailsOptions = {},
): Promise<FlowDetail> {
  const { details } = await findFactory(factory, { args, kwargs }, factories);
  const changed = { ...flowDetail, meta: withFactory(flowDetail.meta, details) };
  if (conf === undefined) return changed;
  const backend = await fetch(conf);
  try {
    return await usingConnection(backend, (connection) => connection.updateFlowDetail(changed));
  } finally {
    if (backend !== conf) await backend.close();
  }
}
