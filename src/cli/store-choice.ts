import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseConnectionText } from '../connection-text.js';
import type { Platform } from './platform.js';

/** Where runs are kept when nobody says otherwise: beside whatever the command is called in. */
export const DEFAULT_STORE = 'sqlite:flowstate.db';
export const STORE_VARIABLE = 'FLOWSTATE_BACKEND';

/** The kinds of stores that are files of this machine. */
const LOCAL: ReadonlySet<string> = new Set(['sqlite', 'directory', 'dir', 'file']);

/** Which store a command works on. */
export interface StoreChoice {
  /** As `persistence.fetch` takes it; may hold a password. */
  readonly text: string;
  readonly source: 'option' | 'environment' | 'default';
  /** The absolute path of its file or folder; null for a store that has none. */
  readonly path: string | null;
}

/** @throws {RangeError} for a text that cannot be taken apart. */
export function chooseStore(option: string | undefined, { env, cwd }: Platform): StoreChoice {
  const variable = env[STORE_VARIABLE];
  const named = variable === undefined || variable === '' ? undefined : variable;
  const text = option ?? named ?? DEFAULT_STORE;
  const source = option !== undefined ? 'option' : named !== undefined ? 'environment' : 'default';
  const { name, path } = parseConnectionText(text);
  const isFile = LOCAL.has(name) && path !== null && path !== ':memory:';
  return { text, source, path: isFile ? resolve(cwd, path) : null };
}

export function isThere({ path }: StoreChoice): boolean {
  return path === null || existsSync(path);
}

/** The text of a store for people: without its password. */
export function shownStore({ text }: StoreChoice): string {
  return text.replace(/^([a-z0-9+.-]+:\/\/[^/@:]*:)[^/]*@/i, '$1***@');
}
