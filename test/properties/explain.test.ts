import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/atoms/history.js';
import type { Engine } from '../../src/engines/engine.js';
import type { Explanation } from '../../src/engines/explain.js';
import { load } from '../../src/engines/load.js';
import { asyncExecutor } from '../../src/executors/async.js';
import type { Executor } from '../../src/executors/executor.js';
import { behavioursOf } from '../conformance/behaviours.js';
import { buildFlow } from '../conformance/build-flow.js';
import { CallCounts } from '../conformance/call-counts.js';
import type { ConformanceCase } from '../conformance/case.js';
import { EVERYTHING, generatedCases } from './generated-cases.js';

interface Comparison {
  readonly explanation: Explanation;
  /** What the task is called with. */
  readonly args: object;
  readonly providers: readonly string[];
  /** What the atom that was chosen has given, by then. */
  readonly given: unknown;
}

/** Runs a flow and has everything explained that a task is called with, when it is called. */
async function explained(test: ConformanceCase, injected: Injected): Promise<Comparison[]> {
  const stage = { isDead: false, trace: () => undefined, suspend: () => undefined };
  const { root } = buildFlow(test.flow, behavioursOf(test.flow, new CallCounts(), stage));
  const compared: Comparison[] = [];
  const within = asyncExecutor();
  let engine: Engine | null = null;
  const executor: Executor = {
    ...within,
    submit(work) {
      const { atom, args, method } = work;
      const mapping = method === 'execute' ? atom.executeMapping : atom.revertMapping;
      for (const [argument, symbol] of mapping.bindings) {
        const explanation = engine!.explain(atom.name, argument, { method });
        const providers = [...engine!.storage.surroundings.providers(symbol)].map(({ name }) => name);
        const provider = explanation.chosen?.provider ?? null;
        const given = provider === null ? undefined : lastOf(engine!.storage.get(provider));
        compared.push({ explanation, args, providers, given });
      }
      return within.submit(work);
    },
  };
  engine = await load(root, { engine: 'parallel', executor, store: injected.run });
  engine.compile();
  await engine.prepare();
  for (const { name, kind } of engine.compilation!.atoms) {
    if (kind === 'task' && name.endsWith('2')) await engine.storage.injectAtomArgs(name, injected.atom);
  }
  await engine.run().catch(() => undefined);
  return compared;
}

/** What a retry provided last, or what a task returned. */
function lastOf(result: unknown): unknown {
  return Array.isArray(result) ? (result as readonly Attempt[]).at(-1)?.provided : result;
}

interface Injected {
  readonly run: Record<string, unknown>;
  readonly atom: Record<string, unknown>;
}

const values = fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('injected'), { maxKeys: 1 });

describe('an explanation', () => {
  it('has chosen exactly what the task is called with, and names everybody who provides the symbol', async () => {
    const seen = { chosen: 0, missing: 0, injected: 0, hidden: 0 };
    await fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), fc.record({ run: values, atom: values }), async (test, injected) => {
        for (const { explanation, args, providers, given } of await explained(test, injected)) {
          const { argument, chosen, steps, missing } = explanation;
          expect(chosen !== null).toBe(Object.hasOwn(args, argument));
          expect(missing === null).toBe(chosen !== null);
          expect('value' in explanation).toBe(chosen !== null);
          expect(explanation.value).toBe((args as Record<string, unknown>)[argument]);
          const named = steps.flatMap(({ provider }) => provider ?? []);
          expect(named.toSorted()).toEqual(providers.toSorted());
          expect(steps.filter(({ verdict }) => verdict === 'chosen').length).toBeLessThanOrEqual(1);
          if (chosen?.place === 'flow') expect(explanation.value).toBe(given);
          else if (chosen !== null) expect(explanation.value).toBe('injected');
          seen.missing += chosen === null ? 1 : 0;
          seen.chosen += chosen?.place === 'flow' ? 1 : 0;
          seen.injected += chosen?.provider === null ? 1 : 0;
          seen.hidden += steps.filter(({ verdict }) => verdict === 'skipped').length;
        }
      }),
      { numRuns: 300 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
  }, 60_000);
});
