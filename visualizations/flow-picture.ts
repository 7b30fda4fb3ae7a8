import type { Task } from '../src/atoms/task.js';
import { Compilation, isAtom, type PlanNode } from '../src/compiler/compilation.js';
import { compile } from '../src/compiler/compile.js';
import type { Engine } from '../src/engines/engine.js';
import type { Flow } from '../src/flows/flow.js';
import type { LinkMetadata } from '../src/flows/link.js';
import type { AtomDetail, FlowDetail } from '../src/persistence/details.js';
import type { Arrow, Box, Picture } from './picture.js';
import { visible } from './text.js';

/** What can be drawn as a flow. An engine is drawn with the states that its atoms are in. */
export type DrawnFlow = Flow | Task | Compilation | Pick<Engine, 'flow' | 'compilation' | 'storage'>;

/** A run as it is stored; all of a `FlowDetail` will do. */
export interface StoredStates {
  readonly state: FlowDetail['state'];
  readonly atoms: readonly Pick<AtomDetail, 'name' | 'state'>[];
}

export interface FlowPictureOptions {
  /**
   * The states of atoms, and of the flow: what says an atom's by its name, or a stored run. They are said, and known
   * ones have a colour. Default: those of the engine that is drawn, and none of anything else.
   */
  readonly states?: ((atomName: string) => string | null | undefined) | StoredStates | undefined;
}

interface States {
  readonly ofFlow: string | null;
  readonly ofAtom: (name: string) => string | null;
}

/** The compiled flow of what is to be drawn. Changes nothing of an engine that has not compiled it yet. */
export function planOf(drawn: DrawnFlow): Compilation {
  if (drawn instanceof Compilation) return drawn;
  if (!isEngine(drawn)) return compile(drawn);
  return drawn.compilation ?? compile(drawn.flow);
}

function isEngine(drawn: DrawnFlow): drawn is Pick<Engine, 'flow' | 'compilation' | 'storage'> {
  return 'storage' in drawn && 'compilation' in drawn;
}

function statesOf(drawn: DrawnFlow, states: FlowPictureOptions['states']): States {
  if (typeof states === 'function') return { ofFlow: null, ofAtom: (name) => states(name) ?? null };
  if (states !== undefined) {
    const byName = new Map(states.atoms.map(({ name, state }) => [name, state]));
    return { ofFlow: states.state ?? 'PENDING', ofAtom: (name) => byName.get(name) ?? 'PENDING' };
  }
  if (!isEngine(drawn)) return { ofFlow: null, ofAtom: () => null };
  const { storage } = drawn;
  return { ofFlow: storage.getFlowState(), ofAtom: (name) => storage.find(name)?.state ?? 'PENDING' };
}

/**
 * A flow as boxes and arrows: each flow a box around its children, ids as in `Compilation.graph`.
 *
 * Drawn are the links between children; that a retry comes before all of its flow is said by where it stands.
 */
export function pictureOfFlow(drawn: DrawnFlow, options: FlowPictureOptions = {}): Picture {
  const plan = planOf(drawn);
  const { ofFlow, ofAtom } = statesOf(drawn, options.states);
  // The end of a flow shares the place of its beginning, which has the lower number.
  const entries = new Map<number, PlanNode>();
  for (const node of plan.nodes) if (node.kind !== 'end') entries.set(node.position, node);
  const idOf = (node: PlanNode) => `n${(entries.get(node.position) ?? node).index}`;
  const boxes = [...entries.values()]
    .sort((one, other) => one.position - other.position)
    .map((node): Box => {
      const state = isAtom(node) ? ofAtom(node.name) : node.parent === null ? ofFlow : null;
      const said = state === null ? [] : [state];
      return {
        id: idOf(node),
        parent: node.parent === null ? null : idOf(node.parent),
        shape: node.kind === 'end' ? 'flow' : node.kind,
        label: node.kind === 'retry' ? `↻ ${visible(node.name)}` : visible(node.name),
        notes: node.kind === 'flow' ? [node.item.pattern, ...said] : said,
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
