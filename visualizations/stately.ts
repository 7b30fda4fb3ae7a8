import type { AnyStateMachine } from 'xstate';

const WIDTH = 120;

/** What depends on the context when it runs, and has no place in a chart. */
const COMPUTED = new Set(['context', 'input', 'output', 'params']);

/**
 * A machine as a module that makes the same chart: for Stately Studio, its editor extension, or a diff.
 *
 * All of the machine's configuration is there, with guards, actions and actors by name and with their parameters.
 * Functions that compute a context, an input, an output or parameters are left out.
 *
 * @throws {TypeError} for any other function: a guard, an action or an actor that was not named with `setup()`.
 */
export function machineToStately(machine: AnyStateMachine): string {
  const name = identifierFor(machine.id);
  const config = written(machine.config, {
    indent: '',
    before: `export const ${name} = createMachine(`.length,
    path: [],
  });
  return `import { createMachine } from 'xstate';\n\nexport const ${name} = createMachine(${config});\n`;
}

interface Place {
  readonly indent: string;
  /** Columns that are taken on the line already. */
  readonly before: number;
  readonly path: readonly string[];
}

function written(value: unknown, place: Place): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') refuse(typeof value, place);
    return String(value);
  }
  const isList = Array.isArray(value);
  const indent = `${place.indent}  `;
  const parts = isList
    ? value.map((each: unknown, index): [string, unknown] => [`${index}`, each])
    : Object.entries(value).filter(
        ([key, each]) => each !== undefined && !(typeof each === 'function' && COMPUTED.has(key)),
      );
  const items = parts.map(([key, each]) => {
    const prefix = isList ? '' : `${propertyName(key)}: `;
    return prefix + written(each, { indent, before: indent.length + prefix.length + 1, path: [...place.path, key] });
  });
  if (items.length === 0) return isList ? '[]' : '{}';
  const onOneLine = isList ? `[${items.join(', ')}]` : `{ ${items.join(', ')} }`;
  if (!onOneLine.includes('\n') && place.before + onOneLine.length + 2 <= WIDTH) return onOneLine;
  const [open, close] = isList ? '[]' : '{}';
  return [open, ...items.map((item) => `${indent}${item},`), `${place.indent}${close}`].join('\n');
}

function refuse(type: string, { path }: Place): never {
  throw new TypeError(`${path.join('.')} of a machine takes a name given to setup() to be exported, got a ${type}`);
}

function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}

function propertyName(key: string): string {
  // Written plainly, it would be the prototype.
  if (key === '__proto__') return `['__proto__']`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
}

function identifierFor(id: string): string {
  const words = id.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const joined = [...words, 'machine']
    .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('');
  return /^\d/.test(joined) ? `_${joined}` : joined;
}
