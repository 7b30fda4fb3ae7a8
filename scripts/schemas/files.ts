import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SCHEMAS } from '../../src/workers/protocol/messages.js';
import type { BodyType } from '../../src/workers/protocol/messages.js';

export const SCHEMA_FOLDER = 'schemas';

const TITLES: Readonly<Record<BodyType, string>> = {
  REQUEST: 'Asks a worker for one method of one task: a message in the queue of a topic',
  RESPONSE: 'What a worker says of a request: a message in the mailbox of a run',
  HEARTBEAT: 'Says which requests a worker runs: a message in the mailbox of a run',
  ASK: 'Asks the workers who they are: a NOTIFY in the room of the workers',
  NOTIFY: 'Says who a worker is: a NOTIFY in the room of the engines',
  BYE: 'A worker takes no more requests: a message in the room of the engines',
  CANCEL: 'Nobody wants the result of a request any more: in the mailbox of its worker, or the room of the workers',
  CLAIM: 'Asks whether a signed request may be run: a message in the mailbox of a run',
  GRANT: 'Says whether a signed request may be run: a message in the mailbox of a worker',
  ADOPT: 'Asks who has these requests of a run that was taken up: a message in the room of the workers',
};

/** The JSON Schema of the body of each message, by the name of its file. */
export function schemaFiles(): Map<string, string> {
  return new Map(
    (Object.keys(SCHEMAS) as BodyType[]).map((type) => {
      const schema = z.toJSONSchema(SCHEMAS[type]);
      const described = { ...schema, title: type, description: TITLES[type] };
      return [`${type.toLowerCase()}.json`, `${JSON.stringify(described, null, 2)}\n`];
    }),
  );
}

/** Names of files that are missing, different, or of no message. */
export function staleSchemas(repository: string): string[] {
  const folder = join(repository, SCHEMA_FOLDER);
  const files = schemaFiles();
  const present = existsSync(folder) ? readdirSync(folder) : [];
  const changed = [...files].filter(
    ([name, text]) => !present.includes(name) || readFileSync(join(folder, name), 'utf8') !== text,
  );
  return [...changed.map(([name]) => name), ...present.filter((name) => !files.has(name))].sort();
}
