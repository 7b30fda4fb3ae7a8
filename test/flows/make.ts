import { task } from '../../src/atoms/function-task.js';
import type { Provides } from '../../src/atoms/provides.js';
import { Retry, type RetryDecision, type RetryOptions } from '../../src/atoms/retry.js';
import type { Task } from '../../src/atoms/task.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';

/** A task that is only looked at, of which TypeScript knows nothing. */
export function made(name: string, requires: readonly string[] = [], provides: Provides = []): Task {
  return task({ name, requires, provides, execute: () => null });
}

class Undecided extends Retry {
  override execute(): null {
    return null;
  }
  override onFailure(): RetryDecision {
    return 'REVERT';
  }
}

export function retryWith(options: RetryOptions = {}): Retry {
  return new Undecided(options);
}

/** The patterns that have no target. */
export const patterns: readonly (readonly [string, (name: string, options?: { retry?: Retry }) => Flow])[] = [
  ['linear', (name, options) => linear(name, options)],
  ['unordered', (name, options) => unordered(name, options)],
  ['graph', (name, options) => graph(name, options)],
];

export const namesOf = (flow: Flow): string[] => Array.from(flow, ({ name }) => name);

/** Links as text, with the symbols that they are there for. */
export const linksOf = (flow: Flow): string[] =>
  Array.from(flow.links(), ({ from, to, metadata: { reasons, manual, decider, deciderDepth } }) =>
    [
      `${from.name} -> ${to.name}`,
      ...(reasons === undefined ? [] : [`for ${[...reasons].join(' ')}`]),
      ...(manual === true ? ['manual'] : []),
      ...(decider === undefined ? [] : [`decider ${deciderDepth ?? 'without depth'}`]),
    ].join(', '),
  );
