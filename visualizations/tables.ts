import type { AnyStateMachine } from 'xstate';
import { statesOf, type StateInWords, type Way } from './statechart.js';
import { columnsOf, markdownCode } from './text.js';

/**
 * A machine as Markdown tables: what its states do, how they follow each other, and which events they ignore. An event
 * that is in no row of a state is an illegal transition there.
 */
export function machineToMarkdown(machine: AnyStateMachine): string {
  const states = statesOf(machine);
  const rootId = states[0]?.id ?? '';
  const byId = new Map(states.map((state) => [state.id, state]));
  const nameOf = (id: string) => markdownCode(nameIn(byId, id));
  const inside = states.filter(({ id, ways, entry }) => id !== rootId || ways.length > 0 || entry.length > 0);
  const sections = [
    table(
      ['state', 'kind', 'on entry', 'on exit', 'invokes'],
      inside.map((state) => [
        nameOf(state.id),
        kindOf(state, byId),
        codes(state.entry),
        codes(state.exit),
        codes(state.invokes.map(({ source }) => source)),
      ]),
    ),
    table(
      ['from', 'event', 'guard', 'to', 'actions'],
      inside.flatMap((state) =>
        state.ways
          .filter((way) => !isIgnored(way))
          .map(({ event, guard, targets, actions }) => [
            nameOf(state.id),
            markdownCode(event),
            guard === null ? '' : markdownCode(guard),
            targets.length === 0 ? '(stays)' : targets.map(nameOf).join(', '),
            codes(actions),
          ]),
      ),
    ),
  ];
  const ignored = inside.flatMap((state) => {
    const events = state.ways.filter(isIgnored).map((way) => ignoredEvent(way, state));
    return events.length === 0 ? [] : [[nameOf(state.id), events.join(', ')]];
  });
  if (ignored.length > 0) sections.push(table(['state', 'accepts and ignores'], ignored));
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function isIgnored({ targets, actions }: Way): boolean {
  return targets.length === 0 && actions.length === 0;
}

/** An event is ignored where none of the guards before agrees. */
function ignoredEvent(way: Way, { ways }: StateInWords): string {
  const before = ways.slice(0, ways.indexOf(way)).filter(({ event }) => event === way.event);
  const guards = before.flatMap(({ guard }) => (guard === null ? [] : [markdownCode(guard)]));
  const unless = guards.length === 0 ? '' : ` (unless ${guards.join(' or ')})`;
  const when = way.guard === null ? '' : ` (when ${markdownCode(way.guard)})`;
  return `${markdownCode(way.event)}${when}${unless}`;
}

function nameIn(states: ReadonlyMap<string, StateInWords>, id: string): string {
  const keys: string[] = [];
  let state = states.get(id);
  while (state !== undefined && (state.parent !== null || keys.length === 0)) {
    keys.push(state.key);
    state = state.parent === null ? undefined : states.get(state.parent);
  }
  return keys.reverse().join('.');
}

function kindOf({ id, type, parent, history }: StateInWords, states: ReadonlyMap<string, StateInWords>): string {
  const isInitial = parent !== null && states.get(parent)?.initial.includes(id) === true;
  const kinds = [
    ...(isInitial ? ['initial'] : []),
    ...(history === 'deep' ? ['deep history'] : type === 'atomic' || type === 'compound' ? [] : [type]),
  ];
  return kinds.join(', ');
}

function codes(texts: readonly string[]): string {
  return texts.map(markdownCode).join(', ');
}

/** Columns without anything in them are left out. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const columns = heads
    .map((head, index) => [head, ...rows.map((row) => row[index] ?? '')])
    .filter(([, ...cells]) => cells.some((cell) => cell !== ''))
    .map((cells) => {
      const width = Math.max(...cells.map(columnsOf));
      const padded = cells.map((cell) => cell + ' '.repeat(width - columnsOf(cell)));
      return [padded[0] ?? '', '-'.repeat(width), ...padded.slice(1)];
    });
  const lines = columns[0]?.map((_, row) => `| ${columns.map((cells) => cells[row] ?? '').join(' | ')} |`);
  return (lines ?? []).join('\n');
}
