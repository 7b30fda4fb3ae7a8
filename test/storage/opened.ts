import type { Environment } from '../../src/environment.js';
import type { Connection, PersistenceBackend } from '../../src/persistence/backend.js';
import { createFlowDetail } from '../../src/persistence/books.js';
import type { FlowDetail } from '../../src/persistence/details.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { commitRetryPolicy } from '../../src/storage/commit-retry.js';
import { Storage } from '../../src/storage/storage.js';
import { manualEnvironment } from '../engines/manual-environment.js';

export interface Opening {
  readonly backend?: PersistenceBackend | undefined;
  readonly flowDetail?: FlowDetail | undefined;
  readonly environment?: Environment | undefined;
}

/** A storage for a new run, or for one that is stored, as an engine would open it. */
export async function openStorage({
  backend,
  flowDetail,
  environment = manualEnvironment(),
}: Opening = {}): Promise<Storage> {
  let connection: Connection | null = null;
  if (backend !== undefined) {
    connection = await backend.getConnection();
    await connection.upgrade();
  }
  const detail = flowDetail ?? (await createFlowDetail('f', { backend, environment })).flowDetail;
  return new Storage({
    flowDetail: detail,
    connection,
    codec: backend?.codec,
    environment,
    commitRetry: commitRetryPolicy(),
  });
}

/** Another storage on what the first has made durable. */
export async function reopened(storage: Storage, backend: PersistenceBackend): Promise<Storage> {
  const flowDetail = await usingConnection(backend, (connection) => connection.getFlowDetail(storage.flowUuid));
  return openStorage({ backend, flowDetail });
}
