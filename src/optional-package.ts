import { NotFoundError } from './errors.js';

/**
 * Imports a package that may not be there: who does without what it is for compiles and runs without it.
 *
 * @param what - What needs it, for the message: `Tracing`.
 * @returns what the package exports.
 * @throws {NotFoundError} naming what to install.
 */
export async function importOptional(what: string, name: string): Promise<object> {
  try {
    return (await import(name)) as object;
  } catch (cause) {
    throw new NotFoundError(`${what} needs the package ${name}: npm install ${name}`, { cause });
  }
}
