import { createHash } from 'node:crypto';

const LONGEST = 160;
/** How much of a long name it still begins with. */
export const KEPT_OF_LONG = 80;
/** Names that mean a device on Windows. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/;

/**
 * Any text as a name that is safe for files everywhere, and for whatever takes names less gladly than it should.
 *
 * It has only lower-case letters, digits, `_`, `-`, `%` and `~`, so that no two become one where case or Unicode forms
 * count for nothing. A long one ends with a digest.
 */
export function safeName(text: string): string {
  const escaped = text.replaceAll(/[^a-z0-9_-]/g, escapeUnit);
  return shortened(escaped === '' ? '%' : DEVICE.test(escaped) ? `%${escaped}` : escaped);
}

/**
 * Any text as a name that is safe for servers, which tell cases apart, and still readable: letters without accents,
 * digits, `_`, `-` and `.` stay as they are. A long one ends with a digest.
 */
export function plainName(text: string): string {
  return shortened(text.replaceAll(/[^\w.-]/g, escapeUnit));
}

/** The text that `plainName` made a name of, where it was not shortened. */
export function nameOfPlain(name: string): string {
  return name.replaceAll(/%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/g, (_, long?: string, short?: string) =>
    String.fromCharCode(Number.parseInt(long ?? short ?? '', 16)),
  );
}

function shortened(name: string): string {
  if (name.length <= LONGEST) return name;
  return `${name.slice(0, KEPT_OF_LONG)}~${createHash('sha256').update(name).digest('hex')}`;
}

/** One UTF-16 unit, which may be half a character. */
function escapeUnit(unit: string): string {
  const code = unit.charCodeAt(0).toString(16);
  return code.length <= 2 ? `%${code.padStart(2, '0')}` : `%u${code.padStart(4, '0')}`;
}

/** Whether a name can be one that `safeName` made. */
export function isSafeName(name: string): boolean {
  return /^[a-z0-9_%~-]+$/.test(name) && name.length <= LONGEST;
}
