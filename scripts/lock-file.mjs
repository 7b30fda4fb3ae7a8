/**
 * What package-lock.json (version 3) says of one package.
 *
 * @typedef {{
 *   version?: string, resolved?: string, dev?: boolean, peer?: boolean, optionalDependencies?: Record<string, string>
 * }} LockedPackage
 */

/**
 * The optional packages that a locked package lists and the lock file lacks.
 *
 * @param {{ packages: Record<string, LockedPackage> }} lock
 * @returns {{ name: string, version: string, parent: LockedPackage }[]}
 */
export function missingOptionalPackages({ packages }) {
  return Object.entries(packages).flatMap(([path, parent]) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name]) => !placesFor(name, path).some((place) => place in packages))
      .map(([name, version]) => ({ name, version, parent })),
  );
}

/**
 * Where Node.js looks for a package, from the folder of the one that asks up to the root.
 *
 * @param {string} name
 * @param {string} from - A key of the lock file, such as `node_modules/a/node_modules/b`; '' is the root.
 */
function placesFor(name, from) {
  const folders = from.split(/\/?node_modules\//).slice(1);
  return Array.from({ length: folders.length + 1 }, (_, depth) =>
    [...folders.slice(0, folders.length - depth), name].map((folder) => `node_modules/${folder}`).join('/'),
  );
}
