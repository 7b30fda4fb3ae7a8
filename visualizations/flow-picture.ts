import type { Task } from '../src/atoms/task.js';
import { Compilation, isAtom, type PlanNode } from '../src/compiler/compilation.js';
import { compile } from '../src/compiler/compile.js';
import type { Flow } from '../src/flows/flow.js';
import type { LinkMetadata } from '../src/flows/link.js';
import type { Arrow, Box, Picture } from './picture.js';

export interface FlowPictureOptions {
  /** The state of an atom, by its name; it is said, and known ones have a colour. Default: no states. */
  readonly states?: ((atomName: string) => string | null | undefined) | undefined;
}

/**
 * A flow as boxes and arrows: each flow a box around its children, ids as in `Compilation.graph`.
 *
 * Drawn are the links between children; that a retry comes before all of its flow is said by where it stands.
 */
export function pictureOfFlow(flow: Flow | Task | Compilation, { states }: FlowPictureOptions = {}): Picture {
  const plan = flow instanceof Compilation ? flow : compile(flow);
  // The end of a flow shares the place of its beginning, which has the lower number.
  const entries = new Map<number, PlanNode>();
  for (const node of plan.nodes) if (node.kind !== 'end') entries.set(node.position, node);
  const idOf = (node: PlanNode) => `n${(entries.get(node.position) ?? node).index}`;
  const boxes = [...entries.values()]
    .sort((one, other) => one.position - other.position)
    .map((node): Box => {
      const state = isAtom(node) ? (states?.(node.name) ?? null) : null;
      return {
        id: idOf(node),
        parent: node.parent === null ? null : idOf(node.parent),
        shape: node.kind === 'end' ? 'flow' : node.kind,
        label: node.kind === 'retry' ? `↻ ${node.name}` : node.name,
        notes: node.kind === 'flow' ? [node.item.pattern] : state === null ? [] : [state],
        state,
      };
    });
  const arrows = plan.edges.flatMap((edge): Arrow[] => {
    const from = plan.node(edge.from);
    const to = plan.node(edge.to);
    if (from.kind === 'flow' || from.kind === 'retry' || to.kind === 'end') return [];
    const { decider } = edge.metadata;
    return [{ from: idOf(from), to: idOf(to), lines: linesOf(edge.metadata), dashed: decider !== undefined }];
  });
  return { title: plan.name, boxes, arrows };
}

/** How many columns of symbols stand beside each other. */
const LINE = 24;

function linesOf({ reasons, decider, deciderDepth = 'ALL' }: LinkMetadata): string[] {
  const lines: string[] = [];
  for (const reason of reasons ?? []) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + reason.length < LINE) lines.splice(-1, 1, `${last}, ${reason}`);
    else lines.push(reason);
  }
  return decider === undefined ? lines : [...lines, `decider: ${deciderDepth}`];
}
