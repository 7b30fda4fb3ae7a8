import type { Connection } from './backend.js';

/**
 * A connection that passes everything on to another one: to be spread, with what differs after it.
 *
 * @param around - Makes each call, but for `close`. @default just makes it
 */
export function forwardingConnection(
  inner: Connection,
  around: <Result>(call: () => Promise<Result>) => Promise<Result> = (call) => call(),
): Connection {
  return {
    upgrade: () => around(() => inner.upgrade()),
    validate: () => around(() => inner.validate()),
    clearAll: () => around(() => inner.clearAll()),
    saveLogbook: (book, options) => around(() => inner.saveLogbook(book, options)),
    getLogbook: (uuid, options) => around(() => inner.getLogbook(uuid, options)),
    getLogbooks: (options) => around(() => inner.getLogbooks(options)),
    destroyLogbook: (uuid) => around(() => inner.destroyLogbook(uuid)),
    getFlowsForBook: (bookUuid, options) => around(() => inner.getFlowsForBook(bookUuid, options)),
    getFlowDetail: (uuid, options) => around(() => inner.getFlowDetail(uuid, options)),
    getAtomsForFlow: (flowUuid) => around(() => inner.getAtomsForFlow(flowUuid)),
    getAtomDetail: (uuid) => around(() => inner.getAtomDetail(uuid)),
    findFlowDetails: (query) => around(() => inner.findFlowDetails(query)),
    updateFlowDetail: (flow) => around(() => inner.updateFlowDetail(flow)),
    updateAtomDetail: (atom) => around(() => inner.updateAtomDetail(atom)),
    destroyFlowDetail: (uuid, expectedRevision) => around(() => inner.destroyFlowDetail(uuid, expectedRevision)),
    commit: (unit) => around(() => inner.commit(unit)),
    getJournal: (flowUuid, query) => around(() => inner.getJournal(flowUuid, query)),
    close: () => inner.close(),
  };
}
