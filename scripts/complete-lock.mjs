/**
 * Adds to package-lock.json the optional packages that npm left out. To be run after a change of dependencies.
 *
 * Packages with native parts list one optional package for each platform. When the registry in reach does not
 * serve one of them, `npm install` drops it without a word and writes a lock file that the next `npm ci` refuses:
 * `Missing: …@ from lock file`. An entry with version and platform is enough for `npm ci`: what is meant for another
 * platform is never fetched.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { missingOptionalPackages } from './lock-file.mjs';

const LOCK_FILE = 'package-lock.json';
const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

const lock = JSON.parse(readFileSync(LOCK_FILE, 'utf8'));
const missing = missingOptionalPackages(lock);

for (const { name, version, parent } of missing) {
  if (!/^\d+\.\d+\.\d+/.test(version)) {
    throw new Error(`${name} is asked for as ${version}: only an exact version can be added to the lock file`);
  }
  const words = name.split(/[-/]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  const libc = words.includes('musl') ? 'musl' : words.includes('gnu') ? 'glibc' : undefined;
  lock.packages[`node_modules/${name}`] = {
    version,
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(parent.dev ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    ...(os === undefined ? {} : { os: [os] }),
    ...(parent.peer ? { peer: true } : {}),
  };
}

if (missing.length > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(LOCK_FILE, `${JSON.stringify(lock, null, 2)}\n`);
}
console.log(`${LOCK_FILE}: ${missing.length === 0 ? 'complete' : `added ${missing.length} packages`}`);
