/** Making stores and entering runs: the functions of `persistence` in the public surface. */
export { lastFailures, lastResults, newRetryDetail, newTaskDetail, put, resetDetail } from './atom-details.js';
export { directoryBackend } from './backends/path/directory.js';
export { zookeeperBackend } from './backends/path/zookeeper.js';
export { memoryBackend } from './backends/memory.js';
export { mysqlBackend } from './backends/sql/mysql.js';
export { postgresBackend } from './backends/sql/postgres.js';
export { sqliteBackend } from './backends/sql/sqlite.js';
export {
  addAtomDetail,
  addFlowDetail,
  createFlowDetail,
  findDetail,
  newFlowDetail,
  newLogBook,
  temporaryFlowDetail,
  temporaryLogBook,
} from './books.js';
export { encryptingCodec } from './codecs/encrypting.js';
export { jsonCodec } from './codecs/json.js';
export { richCodec } from './codecs/rich.js';
export { backend, fetch } from './fetch.js';
export { formatDetail } from './format-detail.js';
export { foldJournal } from './fold-journal.js';
export { forwardingConnection } from './forwarding.js';
export { exportLogbook, importLogbook } from './logbook-export.js';
export { destroyLogbook, findRuns, listLogbooks, pruneRuns, readJournal } from './logbooks.js';
export { mergeAtomDetail, mergeFlowDetail, mergeLogBook, withoutContents } from './merge.js';
export {
  atomFromRecord,
  atomToRecord,
  flowFromRecord,
  flowToRecord,
  logbookFromRecord,
  logbookToRecord,
} from './records.js';
