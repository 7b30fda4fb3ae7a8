import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingOptionalPackages } from '../scripts/lock-file.mjs';

const repository = join(import.meta.dirname, '..');

describe('package-lock.json', () => {
  const text = readFileSync(join(repository, 'package-lock.json'), 'utf8');
  const lock = JSON.parse(text) as Parameters<typeof missingOptionalPackages>[0];

  it('names no registry', () => {
    expect(text.match(/"\w+": "https?:.*\.tgz"/g)).toBeNull();
    expect(Object.values(lock.packages).filter((locked) => locked.resolved?.startsWith('http'))).toEqual([]);
  });

  it('has every optional package that a package lists (otherwise: npm run lock:complete)', () => {
    expect(missingOptionalPackages(lock).map(({ name, version }) => `${name}@${version}`)).toEqual([]);
  });

  it('pins what package.json asks for', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const asked = Object.entries({ ...dependencies, ...devDependencies });
    const exact = (version: string) => version.replace(/^npm:.*@/, '');
    const locked = asked.map(([name]) => [name, lock.packages[`node_modules/${name}`]?.version]);
    expect(locked).toEqual(asked.map(([name, version]) => [name, exact(version)]));
  });
});

describe('missingOptionalPackages', () => {
  const parent = { version: '1.0.0', optionalDependencies: { '@native/linux-x64': '1.2.3' } };

  it('finds what no folder up to the root has', () => {
    expect(missingOptionalPackages({ packages: { '': {}, 'node_modules/native': parent } })).toEqual([
      { name: '@native/linux-x64', version: '1.2.3', parent },
    ]);
  });

  it.each([
    'node_modules/@native/linux-x64',
    'node_modules/a/node_modules/@native/linux-x64',
    'node_modules/a/node_modules/@b/c/node_modules/@native/linux-x64',
  ])('takes %s for it', (place) => {
    const packages = { '': {}, 'node_modules/a/node_modules/@b/c': parent, [place]: { version: '1.2.3' } };
    expect(missingOptionalPackages({ packages })).toEqual([]);
  });

  it('does not take what another package keeps for itself', () => {
    const packages = { '': {}, 'node_modules/a': parent, 'node_modules/b/node_modules/@native/linux-x64': {} };
    expect(missingOptionalPackages({ packages })).toHaveLength(1);
  });
});
