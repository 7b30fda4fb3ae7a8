/**
 * `npm run schemas`: writes the JSON Schemas of the messages between engines and workers anew, in `schemas/`.
 *
 * With `--check` nothing is written: what is not as it would be written is named, and the exit code is 1.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCHEMA_FOLDER, schemaFiles, staleSchemas } from './schemas/files.js';

function main(args: readonly string[]): void {
  const unknown = args.find((arg) => arg !== '--check');
  if (unknown !== undefined) throw new TypeError(`schemas takes --check or nothing, got ${unknown}`);
  const stale = staleSchemas('.');
  if (args.includes('--check')) {
    for (const name of stale) console.log(`stale: ${join(SCHEMA_FOLDER, name)}`);
    if (stale.length > 0) console.log('`npm run schemas` writes them anew.');
    process.exitCode = stale.length === 0 ? 0 : 1;
    return;
  }
  mkdirSync(SCHEMA_FOLDER, { recursive: true });
  const files = schemaFiles();
  for (const name of stale) {
    const text = files.get(name);
    if (text === undefined) continue;
    writeFileSync(join(SCHEMA_FOLDER, name), text);
    console.log(`wrote ${join(SCHEMA_FOLDER, name)}`);
  }
}

main(process.argv.slice(2));
