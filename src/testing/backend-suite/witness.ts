import type { FlowDetail } from '../../persistence/details.js';

type Method = 'execute' | 'revert';

const MARKED = { execute: 'RUNNING', revert: 'REVERTING' } as const;

/** Sees which methods of a run's tasks are called, and what is stored by then. */
export class Witness {
  readonly #calls = new Map<string, number>();
  readonly #unmarked: string[] = [];
  /** How often a call was under way, according to the store, when the run was interrupted. */
  readonly #underWay = new Map<string, number>();

  /** @param read - Reads a run past everything that disturbs it. */
  constructor(private readonly read: (flowUuid: string) => Promise<FlowDetail>) {}

  async called(flowUuid: string, atom: string, method: Method): Promise<void> {
    const call = `${method} ${atom}`;
    count(this.#calls, call);
    const { atoms } = await this.read(flowUuid);
    const state = atoms.find(({ name }) => name === atom)?.state;
    if (state !== MARKED[method]) this.#unmarked.push(`${call} in the state ${String(state)}`);
  }

  async interrupted(flowUuid: string): Promise<void> {
    const { atoms } = await this.read(flowUuid);
    for (const { name, state } of atoms) {
      if (state === 'RUNNING') count(this.#underWay, `execute ${name}`);
      if (state === 'REVERTING') count(this.#underWay, `revert ${name}`);
    }
  }

  /** What was called without being stored as under way (C1), or more often than without the interruption. */
  objections(undisturbed: Witness): string[] {
    const calls = new Set([...this.#calls.keys(), ...undisturbed.#calls.keys()]);
    const miscounted = [...calls].flatMap((call) => {
      const [called, expected] = [this.#calls.get(call) ?? 0, undisturbed.#calls.get(call) ?? 0];
      const most = expected + (this.#underWay.get(call) ?? 0);
      return called < expected || called > most ? [`${call}: ${called} times, not ${expected}`] : [];
    });
    return [...this.#unmarked, ...miscounted];
  }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
