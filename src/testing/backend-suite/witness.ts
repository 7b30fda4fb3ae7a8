import type { FlowDetail } from '../../persistence/details.js';

type Method = 'execute' | 'revert';

const MARKED = { execute: 'RUNNING', revert: 'REVERTING' } as const;

/** Sees which methods of a run's tasks are called, and what is stored by then. */
export class Witness {
  readonly #calls = new Map<string, number>();
  readonly #unmarked: string[] = [];
  /** Atoms that were under way, according to the store, when a run was interrupted. */
  readonly #underWay = new Set<string>();

  /** @param read - Reads a run past everything that disturbs it. */
  constructor(private readonly read: (flowUuid: string) => Promise<FlowDetail>) {}

  async called(flowUuid: string, atom: string, method: Method): Promise<void> {
    const call = `${method} ${atom}`;
    this.#calls.set(call, (this.#calls.get(call) ?? 0) + 1);
    const { atoms } = await this.read(flowUuid);
    const state = atoms.find(({ name }) => name === atom)?.state;
    if (state !== MARKED[method]) this.#unmarked.push(`${call} in the state ${String(state)}`);
  }

  async interrupted(flowUuid: string): Promise<void> {
    const { atoms } = await this.read(flowUuid);
    for (const { name, state } of atoms) {
      if (state === 'RUNNING') this.#underWay.add(`execute ${name}`);
      if (state === 'REVERTING') this.#underWay.add(`revert ${name}`);
    }
  }

  /** What was called without being stored as under way (C1), or more often than without the interruption. */
  objections(undisturbed: Witness): string[] {
    const calls = new Set([...this.#calls.keys(), ...undisturbed.#calls.keys()]);
    const miscounted = [...calls].flatMap((call) => {
      const [count, expected] = [this.#calls.get(call) ?? 0, undisturbed.#calls.get(call) ?? 0];
      const most = expected + (this.#underWay.has(call) ? 1 : 0);
      return count < expected || count > most ? [`${call}: ${count} times, not ${expected}`] : [];
    });
    return [...this.#unmarked, ...miscounted];
  }
}
