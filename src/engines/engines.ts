/** Making and running engines: the functions of `engines` in the public surface. */
export { allowFactoryModule, FactoryRegistry, registerFactory } from './factories.js';
export { load, run } from './load.js';
export { flowFromDetail, loadFromDetail, loadFromFactory, saveFactoryDetails } from './load-factory.js';
