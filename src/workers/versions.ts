import type { TaskAddress } from '../atoms/task-registry.js';
import { IncompatibleVersionError } from '../errors.js';

/** The version to use for one that is asked for: null stands for any; undefined where none goes with it. */
export function compatibleVersion(asked: string, versions: readonly (string | null)[]): string | null | undefined {
  if (versions.includes(asked)) return asked;
  if (versions.includes(null)) return null;
  const same = versions.filter((version) => version !== null && majorOf(version) === majorOf(asked));
  return same.toSorted((a, b) => (a ?? '').localeCompare(b ?? '', 'en', { numeric: true })).at(-1);
}

function majorOf(version: string): string {
  return version.split('.')[0] ?? version;
}

export function incompatible(
  { name, version }: Pick<TaskAddress, 'name' | 'version'>,
  versions: readonly (string | null)[],
): IncompatibleVersionError {
  return new IncompatibleVersionError(
    `The task '${name}' is asked for in version ${version}, and workers have ${versions.join(', ')}`,
  );
}
