import type { PlannedBinding, PlannedLink, PlannedPart, PlannedSymbol } from './planned-parts.js';
import { corrupted, isNumber, KINDS, PATTERNS, USUAL_VERSION } from './planned-parts.js';

/** What `revert` takes where it takes nothing and `execute` does; left out, it takes the same. */
const NOTHING = 1;

/**
 * The parts of a plan in the form in which flowstate 0.1.0 wrote it: a list for each part, without what is as usual at its
 * end.
 *
 * @throws {InvalidFormatError}
 */
export function readFirstForm(plan: { readonly parts: unknown }): readonly PlannedPart[] {
  const parts: PlannedPart[] = [];
  for (const [number, part] of listOf(plan.parts, 'the list of parts').entries()) {
    const [kind, ...fields] = listOf(part, `part ${number}`);
    const decoded = decodePart(KINDS[Number(kind)], fields);
    const isPlaced = number === 0 ? decoded?.parent === -1 : parts[decoded?.parent ?? -1]?.kind === 'flow';
    if (decoded === null || !isPlaced) throw corrupted(`part ${number}`, part);
    parts.push(decoded);
  }
  return parts;
}

function decodePart(kind: (typeof KINDS)[number] | undefined, fields: readonly unknown[]): PlannedPart | null {
  const [name, parent = 0] = fields;
  if (kind === undefined || typeof name !== 'string' || !isNumber(parent)) return null;
  if (kind === 'flow') {
    const pattern = PATTERNS[Number(fields[2] ?? 0)];
    return pattern === undefined ? null : { kind, name, parent, pattern, links: linksIn(fields[3]) };
  }
  const [, , version, takes, takesToRevert, provides, injects, links] = fields;
  return {
    kind,
    name,
    parent,
    version: typeof version === 'string' ? version : USUAL_VERSION,
    takes: namesIn(takes),
    takesToRevert: takesToRevert === NOTHING ? [] : namesIn(Array.isArray(takesToRevert) ? takesToRevert : takes),
    provides: namesIn(provides),
    injects: namesIn<string>(injects),
    links: linksIn(links),
  };
}

function linksIn(field: unknown): PlannedLink[] {
  return listOf(field ?? [], 'a list of links').map((link) => {
    const [from, depth] = isNumber(link) ? [link, null] : listOf(link, 'a link');
    if (!isNumber(from) || !(depth === null || typeof depth === 'string')) throw corrupted('a link', link);
    return { from, depth };
  });
}

/** Names, or lists that begin with one. */
function namesIn<Name extends PlannedBinding | PlannedSymbol>(field: unknown): Name[] {
  const names = listOf(field ?? [], 'a list of names');
  for (const name of names) {
    if (typeof (Array.isArray(name) ? (name as unknown[])[0] : name) !== 'string') throw corrupted('a name', name);
  }
  return names as Name[];
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw corrupted(what, value);
}
