/** Making stores and entering runs: the functions of `persistence` in the public surface. */
export { directoryBackend } from './backends/path/directory.js';
export { zookeeperBackend } from './backends/path/zookeeper.js';
export { memoryBackend } from './backends/memory.js';
export { sqliteBackend } from './backends/sql/sqlite.js';
export {
  addAtomDetail,
  addFlowDetail,
  createFlowDetail,
  findDetail,
  newFlowDetail,
  newLogBook,
  temporaryLogBook,
} from './books.js';
export { jsonCodec } from './codec.js';
export { backend, fetch } from './fetch.js';
export { formatDetail } from './format-detail.js';
export { forwardingConnection } from './forwarding.js';
