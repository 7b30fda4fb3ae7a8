import { Task } from '../atoms/task.js';
import type { Atom } from '../atoms/atom.js';
import type { Engine } from '../engines/engine.js';
import type { Flow } from '../flows/flow.js';
import type { AtomDetail } from '../persistence/details.js';
import { argumentsOf, ifKnown } from './known-values.js';
import type { TextNode } from './text-tree.js';
import { treeLines } from './text-tree.js';
import type { ValueTextOptions } from './value-text.js';
import { valueText } from './value-text.js';

/** A flow as a text tree: its parts, with what they require and provide. */
export function formatFlow(flow: Flow | Task): string {
  return treeLines(nodeOf(flow, declarationOf)).join('\n');
}

export interface FormatRunOptions extends ValueTextOptions {
  /** Whether arguments and results are shown. They may be secrets, and such texts end up in logs. @default false */
  readonly showValues?: boolean | undefined;
}

/**
 * A run as a text tree: the flow's parts with their states, and what failed; arguments and results when that is asked
 * for, masked and shortened.
 */
export function formatRun(engine: Engine, { showValues = false, ...options }: FormatRunOptions = {}): string {
  const { storage } = engine;
  const stateOf = (atom: Atom): string => {
    const detail = storage.find(atom.name);
    const state = detail?.state ?? 'PENDING';
    const failure = detail?.revertFailure ?? detail?.failure ?? null;
    const values = showValues && detail !== undefined ? valuesOf(engine, atom, detail, options) : '';
    return `${atom.name} ${state}${values}${failure === null ? '' : `: ${valueText(failure, options)}`}`;
  };
  const root = nodeOf(engine.flow, stateOf);
  const isTask = engine.flow instanceof Task;
  return treeLines(isTask ? root : { ...root, text: `${root.text} ${storage.getFlowState()}` }).join('\n');
}

interface Growing extends TextNode {
  readonly children: Growing[];
}

/** Without recursion: flows nest deeper than calls. */
function nodeOf(item: Flow | Task, describe: (atom: Atom) => string): TextNode {
  const root: Growing[] = [];
  const waiting: { readonly item: Flow | Task; readonly into: Growing[] }[] = [{ item, into: root }];
  // Each adds itself to its siblings before any other of them is looked at.
  for (const { item: next, into } of waiting) {
    if (next instanceof Task) into.push({ text: describe(next), children: [] });
    else {
      const { retry, name, pattern } = next;
      const children: Growing[] = retry === null ? [] : [{ text: describe(retry), children: [] }];
      into.push({ text: `${name} (${pattern})`, children });
      for (const child of next) waiting.push({ item: child, into: children });
    }
  }
  return root[0] ?? { text: '', children: [] };
}

function declarationOf({ kind, name, requires, saveAs }: Atom): string {
  const needs = requires.size === 0 ? '' : ` ${[...requires].join(', ')}`;
  const gives = saveAs.size === 0 ? '' : ` → ${[...saveAs.keys()].join(', ')}`;
  return `${name}${kind === 'task' ? '' : ' (retry)'}${needs === '' && gives === '' ? '' : `:${needs}${gives}`}`;
}

/** Atoms that have not begun have neither. */
function valuesOf(engine: Engine, atom: Atom, { state, name }: AtomDetail, options: ValueTextOptions): string {
  if (state === null || state === 'PENDING' || state === 'IGNORE') return '';
  const args = argumentsOf(engine, atom) ?? {};
  const result = state === 'SUCCESS' ? ifKnown(() => ({ value: engine.storage.get(name) })) : undefined;
  const given = Object.keys(args).length === 0 ? '' : ` ${valueText(args, options)}`;
  return `${given}${result === undefined ? '' : ` → ${valueText(result.value, options)}`}`;
}
