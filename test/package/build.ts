import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const execute = promisify(execFile);

/** Does what `npm run build` does, without looking for errors, into a folder that nobody else builds in. */
export async function buildPackage(dist: string, { declarations }: { readonly declarations: boolean }): Promise<void> {
  const compiler = join(REPOSITORY, 'node_modules/typescript7/bin/tsc');
  const options = ['--noCheck', '--incremental', 'false', '--tsBuildInfoFile', 'null', '--outDir', dist];
  if (!declarations) options.push('--declaration', 'false', '--declarationMap', 'false');
  await execute(process.execPath, [compiler, '-p', 'tsconfig.build.json', ...options], { cwd: REPOSITORY });
  await execute(process.execPath, [join(REPOSITORY, 'scripts/bundle.mjs'), dist]);
}
