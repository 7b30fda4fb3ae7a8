import { NotFoundError } from './errors.js';

/** How the package of a driver is imported. */
export type ImportDriver = (name: string) => Promise<unknown>;

export const importPackage: ImportDriver = (name) => import(name);

/**
 * Imports the first of some packages that is there.
 *
 * @param what - What needs it, for the message: `SQLite`.
 * @param read - What is wanted of the package; null when it does not have it.
 * @throws {NotFoundError} naming what to install.
 */
export async function loadDriver<Driver>(
  what: string,
  names: readonly [string, ...string[]],
  importDriver: ImportDriver,
  read: (imported: object) => Driver | null,
): Promise<Driver> {
  const causes: unknown[] = [];
  for (const name of names) {
    try {
      const driver = read(exportsOf(await importDriver(name)));
      if (driver !== null) return driver;
      causes.push(new TypeError(`The package ${name} does not export what is needed of it`));
    } catch (cause) {
      causes.push(cause);
    }
  }
  const packages = names.length === 1 ? `the package ${names[0]}` : `one of the packages ${names.join(' and ')}`;
  throw new NotFoundError(`${what} needs ${packages}: npm install ${names[0]}`, {
    cause: new AggregateError(causes, `None of ${names.join(', ')} could be loaded`),
  });
}

/** Drivers are CommonJS: what they export is the default of the module. */
function exportsOf(imported: unknown): object {
  if (typeof imported !== 'object' || imported === null) return {};
  const exported: unknown = 'default' in imported ? imported.default : imported;
  return (typeof exported === 'object' && exported !== null) || typeof exported === 'function' ? exported : {};
}
