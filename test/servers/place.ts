import { randomUUID } from 'node:crypto';

/** A place of one test's own on a server: a schema or a database. */
export interface Place {
  /** To be handed to `persistence.fetch`. */
  readonly url: string;
  /** Asks the server past flowstate. */
  run(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  drop(): Promise<unknown>;
}

/**
 * Makes a place on the server that a URL names; null for a backend that has no server.
 *
 * @param url - Of a database on it. Nothing in that database is touched.
 */
export async function newPlace(url: string): Promise<Place | null> {
  const name = `flowstate_test_${randomUUID().replaceAll('-', '')}`;
  if (/^postgres(?:ql)?:/.test(url)) return postgresPlace(url, name);
  if (/^(?:mysql|mariadb)(?:\+\w+)?:/.test(url)) return mysqlPlace(url, name);
  return null;
}

async function postgresPlace(url: string, schema: string): Promise<Place> {
  const { default: pg } = await import('pg');
  const ask = async (sql: string) => {
    const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema}` });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    url: `${url}${url.includes('?') ? '&' : '?'}schema=${schema}`,
    run: ask,
    drop: () => ask(`drop schema if exists ${schema} cascade`),
  };
}

async function mysqlPlace(url: string, database: string): Promise<Place> {
  const { default: mysql } = await import('mysql2/promise');
  const own = new URL(url.replace(/^[\w+]+:/, 'mysql:'));
  own.pathname = `/${database}`;
  const ask = async (to: string, sql: string) => {
    const connection = await mysql.createConnection(to);
    try {
      const [rows] = await connection.query(sql);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    } finally {
      await connection.end();
    }
  };
  await ask(url, `create database ${database}`);
  return {
    url: own.href,
    run: (sql) => ask(own.href, sql),
    drop: () => ask(url, `drop database if exists ${database}`),
  };
}
