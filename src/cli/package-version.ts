import { readFileSync } from 'node:fs';

/** The version of the package that this file is in: compiled, it is three folders below package.json, bundled two. */
export function packageVersion(): string {
  for (const up of ['../../../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as Record<
        string,
        unknown
      >;
      if (name === 'flowstate' && typeof version === 'string') return version;
    } catch {
      // It is the other one.
    }
  }
  return 'unknown';
}
