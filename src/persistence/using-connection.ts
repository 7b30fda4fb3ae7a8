import type { Connection, PersistenceBackend } from './backend.js';

/** Opens a connection, uses it and closes it, whatever comes of it. */
export async function usingConnection<Result>(
  backend: PersistenceBackend,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await backend.getConnection();
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}
