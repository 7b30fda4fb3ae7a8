import { randomUUID } from 'node:crypto';

/** A place of one test's own on a server: a schema, a database or a node. */
export interface Place {
  /** To be handed to `persistence.fetch`. */
  readonly url: string;
  drop(): Promise<unknown>;
}

/** A place that understands SQL. */
export interface SqlPlace extends Place {
  /** Asks the server past flowstate. */
  run(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/**
 * Makes a place on the server that a URL names; null for a backend that has no server.
 *
 * @param url - Of a database on it. Nothing in that database is touched.
 */
export async function newPlace(url: string): Promise<Place | null> {
  return url.startsWith('zookeeper:') ? zookeeperPlace(url, newName()) : newSqlPlace(url);
}

/** As `newPlace`, of databases. */
export async function newSqlPlace(url: string): Promise<SqlPlace | null> {
  const name = newName();
  if (/^postgres(?:ql)?:/.test(url)) return postgresPlace(url, name);
  if (/^(?:mysql|mariadb)(?:\+\w+)?:/.test(url)) return mysqlPlace(url, name);
  return null;
}

const newName = () => `flowstate_test_${randomUUID().replaceAll('-', '')}`;

async function zookeeperPlace(url: string, name: string): Promise<Place> {
  const { default: zookeeper } = await import('node-zookeeper-client');
  const [, hosts = '', above = ''] = /^zookeeper:\/\/([^/?]+)([^?]*)/.exec(url) ?? [];
  const path = `${above.replace(/\/$/, '')}/${name}`;
  return {
    url: `zookeeper://${hosts}${path}`,
    async drop() {
      const client = zookeeper.createClient(hosts);
      client.connect();
      const children = (node: string) =>
        new Promise<string[]>((resolve) =>
          client.getChildren(node, (error, found) => resolve(error instanceof Error ? [] : found)),
        );
      const remove = async (node: string): Promise<void> => {
        for (const child of await children(node)) await remove(`${node}/${child}`);
        await new Promise((resolve) => client.remove(node, -1, resolve));
      };
      await remove(path);
      client.close();
    },
  };
}

async function postgresPlace(url: string, schema: string): Promise<SqlPlace> {
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

async function mysqlPlace(url: string, database: string): Promise<SqlPlace> {
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
