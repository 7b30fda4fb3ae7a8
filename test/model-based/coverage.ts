import type { AnyStateMachine, AnyTransitionDefinition } from 'xstate';

/** What a transition is called: `RUNNING execute [hasProgress]`. */
export function nameOf({ source, eventType, guard }: AnyTransitionDefinition): string {
  return `${source.key} ${eventType}${guard === undefined ? '' : ` [${guardName(guard)}]`}`;
}

function guardName(guard: NonNullable<AnyTransitionDefinition['guard']>): string {
  if (typeof guard === 'string') return guard;
  if ('type' in guard && typeof guard.type === 'string') return guard.type;
  throw new TypeError('A guard has to have a name');
}

/** All transitions of a flat machine, those that change nothing among them. */
export function transitionsOf(machine: AnyStateMachine): AnyTransitionDefinition[] {
  const states: readonly AnyStateMachine['root'][] = Object.values(machine.root.states);
  return states.flatMap(({ transitions }) => [...transitions.values()].flat());
}

/** The state that a transition leads to; null for one that changes nothing. */
export function targetOf({ target }: AnyTransitionDefinition): string | null {
  return target?.[0]?.key ?? null;
}

/** Counts which transitions of a machine were taken. */
export class Coverage {
  readonly #names: ReadonlySet<string>;
  readonly #taken = new Set<string>();

  /** @throws {TypeError} when two transitions of the machine cannot be told apart by their names. */
  constructor(private readonly machine: AnyStateMachine) {
    const names = transitionsOf(machine).map(nameOf);
    this.#names = new Set(names);
    if (this.#names.size < names.length) throw new TypeError(`Transitions of ${machine.id} have the same name`);
  }

  /**
   * Notes that a transition was taken: one of the machine itself, or of what `provide()` made of it.
   *
   * @throws {RangeError} for a transition that the machine does not have.
   */
  take(definition: AnyTransitionDefinition): void {
    const name = nameOf(definition);
    if (!this.#names.has(name)) throw new RangeError(`The machine ${this.machine.id} has no transition ${name}`);
    this.#taken.add(name);
  }

  get missing(): string[] {
    return [...this.#names].filter((name) => !this.#taken.has(name));
  }

  /** From 0 to 100. */
  get percent(): number {
    return (100 * this.#taken.size) / this.#names.size;
  }

  toString(): string {
    const missing = this.missing.length === 0 ? '' : `; missing: ${this.missing.join(', ')}`;
    return `${this.machine.id}: ${this.#taken.size} of ${this.#names.size} transitions${missing}`;
  }
}
