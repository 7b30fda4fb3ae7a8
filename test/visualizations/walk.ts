import { expect } from 'vitest';
import { type AnyStateMachine, createActor } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { type AtomNode, type Compilation, isAtom, type PlanNode } from '../../src/compiler/compilation.js';

/** What XState gives, as far as the charts are concerned: its own types of any machine are any. */
interface Neighbours {
  readonly transitions: Readonly<Record<string, { readonly state: { readonly value: unknown } }>>;
}
interface Path {
  readonly state: { readonly value: unknown };
  readonly steps: readonly { readonly event: unknown }[];
}

/** Where every event, with every answer that a guard could want, leads from every state. */
export function walk(machine: AnyStateMachine) {
  const types: readonly string[] = machine.events;
  const flags = [false, true].flatMap((atStart) => [false, true].map((hasProgress) => ({ atStart, hasProgress })));
  const options = {
    events: types.flatMap((type) => flags.map((flag) => ({ type, ...flag }))),
    input: { name: 'a', index: 0 },
    serializeState: ({ value }: { value: unknown }) => JSON.stringify(value),
  };
  const adjacency = getAdjacencyMap(machine, options) as unknown as Readonly<Record<string, Neighbours>>;
  const paths = getShortestPaths(machine, options) as readonly Path[];
  return {
    adjacency: Object.entries(adjacency).map(([from, { transitions }]) => [
      from,
      Object.entries(transitions).map(([event, { state }]) => [event, state.value]),
    ]),
    paths: paths.map(({ state, steps }) => [state.value, steps.map(({ event }) => event)]),
  };
}

/** Atoms that are not done, and before which nothing is left to do. */
function readyAtoms(plan: Compilation, done: ReadonlySet<string>): string[] {
  const isSettled = (node: PlanNode): boolean =>
    isAtom(node) ? done.has(node.name) : plan.predecessors(node).every(isSettled);
  const isReady = (atom: AtomNode) => !done.has(atom.name) && plan.predecessors(atom).every(isSettled);
  return plan.atoms.filter(isReady).map(({ name }) => name);
}

/**
 * Runs a flow's machine to its end. Whichever atom succeeds next, those that are running are always those that are
 * ready by the compiled flow.
 *
 * @param pick - Which of so many atoms succeeds next.
 * @param spelled - How the machine calls an event.
 */
export function walkFlow(
  machine: AnyStateMachine,
  plan: Compilation,
  pick: (count: number) => number,
  spelled = (event: string) => event,
): void {
  const actor = createActor(machine).start();
  const done = new Set<string>();
  const succeeds = (name: string) => ({ type: spelled(`${name} succeeded`) });
  for (;;) {
    const ready = readyAtoms(plan, done);
    const running = plan.atoms.map(({ name }) => name).filter((name) => actor.getSnapshot().can(succeeds(name)));
    expect(running).toEqual(ready);
    const next = ready[pick(ready.length)];
    if (next === undefined) break;
    expect(actor.getSnapshot().status).toBe('active');
    actor.send(succeeds(next));
    done.add(next);
  }
  expect(done.size).toBe(plan.atoms.length);
  expect(actor.getSnapshot().status).toBe('done');
}
