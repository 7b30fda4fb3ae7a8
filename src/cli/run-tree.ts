import type { PlannedPart } from '../compiler/planned-parts.js';
import { readPlan } from '../compiler/read-plan.js';
import type { Failure } from '../failure.js';
import { durationText, printable } from '../formatters/terminal-text.js';
import type { TextNode } from '../formatters/text-tree.js';
import { branchLines, treeLines } from '../formatters/text-tree.js';
import { maskValues, valueText } from '../formatters/value-text.js';
import type { AtomDetail, FlowDetail } from '../persistence/details.js';
import { isReserved, PLAN } from '../storage/reserved.js';
import type { FailureNotesOptions } from './failure-notes.js';
import type { Colours } from './session.js';

export interface TreeOptions extends FailureNotesOptions {
  readonly colours: Colours;
}

/** The atoms of a stored run, in the order in which they were registered. */
export function atomsOf({ atoms }: FlowDetail): AtomDetail[] {
  return atoms.filter(({ name }) => !isReserved(name));
}

/**
 * A stored run as a text tree: the flow as it was stored, with the states of its atoms. Nothing is imported for that.
 * One that was stored without a plan is a list.
 */
export function treeOfStored(detail: FlowDetail, options: TreeOptions): string[] {
  const details = new Map(atomsOf(detail).map((atom) => [atom.name, atom]));
  const parts = planOfStored(detail);
  const root = (text: string, children: readonly TextNode[]) =>
    treeLines({ text: `${text} ${colouredState(detail.state ?? 'PENDING', options.colours)}`, children });
  const [first] = parts;
  if (first === undefined) {
    const leaves = Array.from(details.values(), (atom) => ({ text: atomText(atom.name, atom, options), children: [] }));
    return root(printable(detail.name), leaves);
  }
  if (first.kind !== 'flow') return treeLines(nodeOf(0, parts, details, options));
  const { text, children } = nodeOf(0, parts, details, options);
  const lines = root(text, children);
  // What the flow no longer has may still be there.
  const gone = [...details.values()].filter(
    ({ name }) => !parts.some((part) => part.kind !== 'flow' && part.name === name),
  );
  if (gone.length === 0) return lines;
  const leaves = gone.map((atom) => ({ text: atomText(atom.name, atom, options), children: [] }));
  return [...lines, 'no longer in the flow', ...branchLines(leaves)];
}

function planOfStored({ atoms }: FlowDetail): readonly PlannedPart[] {
  const text = atoms.find(({ name }) => name === PLAN)?.results;
  return typeof text === 'string' ? readPlan(text) : [];
}

function nodeOf(
  number: number,
  parts: readonly PlannedPart[],
  details: ReadonlyMap<string, AtomDetail>,
  options: TreeOptions,
): TextNode {
  const children = childrenOf(parts);
  const make = (at: number): TextNode => {
    const part = parts[at];
    if (part === undefined) return { text: '', children: [] };
    if (part.kind !== 'flow') return { text: atomText(part.name, details.get(part.name), options), children: [] };
    return { text: `${printable(part.name)} (${part.pattern})`, children: (children[at] ?? []).map(make) };
  };
  return make(number);
}

function childrenOf(parts: readonly PlannedPart[]): (number[] | undefined)[] {
  const children: (number[] | undefined)[] = [];
  for (const [number, { parent }] of parts.entries()) if (parent >= 0) (children[parent] ??= []).push(number);
  return children;
}

function atomText(name: string, detail: AtomDetail | undefined, { colours, ...options }: TreeOptions): string {
  const state = detail?.state ?? 'PENDING';
  const parts = [`${printable(name)} ${colouredState(state, colours)}`];
  const durationMs = detail?.meta['durationMs'];
  if (typeof durationMs === 'number' && state !== 'PENDING') parts.push(colours.dim(durationText(durationMs)));
  if (options.showValues && detail !== undefined && state === 'SUCCESS') parts.push(`→ ${resultText(detail, options)}`);
  const failure = detail?.revertFailure ?? detail?.failure ?? null;
  return failure === null ? parts.join(' ') : `${parts.join(' ')}: ${printable(valueText(failure))}`;
}

/** What an atom provided; of a retry, last. */
export function resultOf(detail: AtomDetail): unknown {
  return detail.kind === 'retry' ? detail.results.at(-1)?.provided : detail.results;
}

function resultText(detail: AtomDetail, { maskKeys = [], maxLength }: FailureNotesOptions): string {
  return printable(valueText(maskValues(resultOf(detail), new Set(maskKeys)), { maxLength }));
}

/** The failures of a stored run, with their atoms. */
export function failuresOf(detail: FlowDetail): { atom: string; phase: 'execute' | 'revert'; failure: Failure }[] {
  return atomsOf(detail).flatMap(({ name, failure, revertFailure }) => [
    ...(failure === null ? [] : [{ atom: name, phase: 'execute' as const, failure }]),
    ...(revertFailure === null ? [] : [{ atom: name, phase: 'revert' as const, failure: revertFailure }]),
  ]);
}

/** A state in the colour that it has everywhere. */
export function colouredState(state: string, colours: Colours): string {
  switch (state) {
    case 'SUCCESS':
      return colours.green(state);
    case 'FAILURE':
    case 'REVERT_FAILURE':
      return colours.red(state);
    case 'RUNNING':
    case 'REVERTING':
    case 'RETRYING':
      return colours.cyan(state);
    case 'REVERTED':
    case 'SUSPENDED':
      return colours.yellow(state);
    default:
      return colours.dim(state);
  }
}
