import { createMachine } from 'xstate';
import type { AnyStateMachine } from 'xstate';
import type { PlanNode } from '../src/compiler/compilation.js';
import { type DrawnFlow, type FlowPictureOptions, pictureOfFlow, planOf } from './flow-picture.js';
import { type Arrow, type Box, Nesting, type Picture } from './picture.js';

/** A part of the configuration of a machine, without functions. */
interface StateConfig {
  readonly id?: string;
  readonly description?: string;
  readonly type?: 'parallel' | 'final';
  readonly initial?: string;
  readonly states?: Readonly<Record<string, StateConfig>>;
  readonly on?: Readonly<Record<string, string>>;
  readonly onDone?: string;
}

/** What happens in a flow one after the other. */
interface Step {
  readonly key: string;
  readonly id: string;
  readonly config: StateConfig;
}

const FINAL: StateConfig = { type: 'final' };

/**
 * A flow as a machine that goes the ways that the flow can go, when it is told what becomes of the atoms.
 *
 * Everything in it has the id that it has in pictures, and names stay keys wherever XState can tell them apart.
 */
export function machineOfFlow(drawn: DrawnFlow, options: FlowPictureOptions = {}): AnyStateMachine {
  const plan = planOf(drawn);
  const config = new FlowStatechart(pictureOfFlow(drawn, options), plan.nodes).draw();
  return createMachine(config as Parameters<typeof createMachine>[0]);
}

class FlowStatechart {
  readonly #nesting: Nesting;
  readonly #root: Box;
  readonly #nodes: ReadonlyMap<string, PlanNode>;
  readonly #arrowsTo = new Map<string, Arrow[]>();

  constructor(picture: Picture, nodes: readonly PlanNode[]) {
    const [root] = picture.boxes;
    if (root === undefined) throw new RangeError(`There is nothing in ${picture.title}`);
    this.#root = root;
    this.#nesting = new Nesting(picture);
    this.#nodes = new Map(nodes.map((node) => [`n${node.index}`, node]));
    for (const arrow of picture.arrows) {
      const known = this.#arrowsTo.get(arrow.to);
      if (known === undefined) this.#arrowsTo.set(arrow.to, [arrow]);
      else known.push(arrow);
    }
  }

  draw(): StateConfig {
    const name = this.#nameOf(this.#root);
    // No other state may have the id of the machine.
    return { ...this.#stateOf(this.#root, []), id: /^n\d+(_\w+)?$/.test(name) ? `flow ${name}` : name };
  }

  #nameOf({ id, label }: Box): string {
    return this.#nodes.get(id)?.name ?? label;
  }

  #stateOf(box: Box, arrows: readonly Arrow[]): StateConfig {
    return box.shape === 'flow' ? this.#flow(box, arrows) : this.#atom(box, arrows);
  }

  #atom(box: Box, arrows: readonly Arrow[]): StateConfig {
    const name = this.#nameOf(box);
    const gate = this.#gate(name, arrows, `#${box.id}_running`);
    return this.#waiting(box, gate, 'RUNNING', {
      RUNNING: { id: `${box.id}_running`, on: { [`${name} succeeded`]: 'SUCCESS', [`${name} failed`]: 'FAILURE' } },
      SUCCESS: FINAL,
      FAILURE: {},
    });
  }

  #flow(box: Box, arrows: readonly Arrow[]): StateConfig {
    const { id } = box;
    const all = this.#nesting.childrenOf(id);
    const retry = all.find(({ shape }) => shape === 'retry');
    const children = all.filter((child) => child !== retry);
    const node = this.#nodes.get(id);
    const isLinear = node?.kind === 'flow' && node.item.pattern === 'linear';
    const keys = this.#keys(['PENDING', 'SUCCESS', 'IGNORE', 'children']);
    const steps = [...(retry === undefined ? [] : [retry]), ...(isLinear ? children : [])].map((child): Step => {
      return { key: keys(child), id: child.id, config: this.#stateOf(child, []) };
    });
    if (!isLinear && children.length > 0) {
      steps.push({ key: 'children', id: `${id}_children`, config: this.#together(children) });
    }
    steps.push({ key: 'SUCCESS', id: `${id}_success`, config: FINAL });
    const states = steps.map(({ key, id: stepId, config }, at) => {
      const next = steps[at + 1];
      return [key, { ...config, id: stepId, ...(next === undefined ? {} : { onDone: `#${next.id}` }) }] as const;
    });
    const [first] = steps;
    const gate = this.#gate(this.#nameOf(box), arrows, `#${first?.id ?? ''}`);
    const config = this.#waiting(box, gate, first?.key ?? '', Object.fromEntries(states));
    return retry === undefined ? config : { ...config, on: { [`${this.#nameOf(retry)} retries`]: `#${retry.id}` } };
  }

  /** A state that begins in PENDING where it waits for anything. */
  #waiting(
    { id, state }: Box,
    gate: StateConfig | null,
    first: string,
    states: Readonly<Record<string, StateConfig>>,
  ): StateConfig {
    const said = state === null ? {} : { description: state };
    if (gate === null) return { id, ...said, initial: first, states };
    const ignored = gate.on === undefined ? {} : { IGNORE: FINAL };
    return { id, ...said, initial: 'PENDING', states: { PENDING: gate, ...states, ...ignored } };
  }

  #together(children: readonly Box[]): StateConfig {
    const keys = this.#keys([]);
    const regions = children.map((child) => {
      return [keys(child), this.#stateOf(child, this.#arrowsTo.get(child.id) ?? [])] as const;
    });
    return { type: 'parallel', states: Object.fromEntries(regions) };
  }

  /** Waits for all that arrows come from; null where there are none. */
  #gate(name: string, arrows: readonly Arrow[], then: string): StateConfig | null {
    if (arrows.length === 0) return null;
    const keys = this.#keys([]);
    const waits = arrows.map(({ from, lines }) => {
      const config: StateConfig = {
        ...(lines.length === 0 ? {} : { description: lines.join(', ') }),
        initial: 'waiting',
        states: { waiting: { on: { [`xstate.done.state.${from}`]: 'done' } }, done: FINAL },
      };
      return [keys(this.#nesting.get(from)), config] as const;
    });
    const mayBeRefused = arrows.some(({ dashed }) => dashed);
    return {
      type: 'parallel',
      states: Object.fromEntries(waits),
      onDone: then,
      ...(mayBeRefused ? { on: { [`${name} ignored`]: 'IGNORE' } } : {}),
    };
  }

  /** Gives keys of states beside each other: names, as far as these are unique and XState takes them for keys. */
  #keys(taken: readonly string[]): (box: Box) => string {
    const known = new Set(['', '__proto__', ...taken]);
    return (box) => {
      let key = this.#nameOf(box);
      while (known.has(key) || key.startsWith('#')) key = `${box.id} ${key}`;
      known.add(key);
      return key;
    };
  }
}
