import { afterAll, describe, it } from 'vitest';

/** A server that tests may use. */
export interface Server {
  readonly url: string;
  /** Ends it when the tests started it, and leaves it alone otherwise. */
  stop(): Promise<void>;
}

/** What a server shows that speaks TLS alone. */
export interface TlsFiles {
  readonly keyFile: string;
  readonly certFile: string;
}

/** The settings of a server that speaks TLS alone. */
export interface TlsSettings extends TlsFiles {
  /** Whether clients have to show a certificate that the server's own has signed. */
  readonly asksClients?: boolean;
}

/** One kind of server. Each has a file of its own here. */
export interface ServerKind {
  readonly name: string;
  /** What to do where there is none. */
  readonly hint: string;
  /** One that runs already, or one that is started; null where there is none to start. */
  readonly find: () => Promise<Server | null>;
}

/**
 * Tests against a server. Where there is none they are skipped, and the end of the run tells so; with
 * `FLOWSTATE_REQUIRE_SERVICES=1` that is a failure.
 *
 * @param define - Defines the tests. What they make on the server is theirs to remove.
 */
export async function describeWithServer(
  { name, hint, find }: ServerKind,
  define: (url: string) => void | Promise<void>,
): Promise<void> {
  const server = await find();
  if (server !== null) {
    afterAll(() => server.stop());
    await define(server.url);
  } else if (process.env['FLOWSTATE_REQUIRE_SERVICES'] === '1') {
    it(`has a server: ${name}`, () => {
      throw new Error(`There is no ${name}: ${hint}`);
    });
  } else {
    describe.skip(`NOT TESTED: ${name} (${hint})`, () => it('is tested'));
  }
}
