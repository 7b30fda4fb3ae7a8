import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { load } from '../../../src/engines/load.js';
import type { EngineStage } from '../../../machines/index.js';
import { virtualEnvironment } from '../../../src/testing/virtual-environment.js';
import { stageAt } from '../../../visualizations/inspector/engine-stage.js';
import { EngineSource } from '../../../visualizations/inspector/engine-source.js';
import { History } from '../../../visualizations/inspector/history.js';
import type { RunPicture } from '../../../visualizations/inspector/run-picture.js';
import { Neighbours, whyAt } from '../../../visualizations/inspector/why-at.js';
import type { ConformanceCase } from '../../conformance/case.js';
import { EVERYTHING, generatedCases } from '../../properties/generated-cases.js';
import { flowOfCase } from './runs.js';

/** A run as it was seen while it went on. */
interface Seen {
  readonly count: number;
  readonly stage: EngineStage;
  readonly flowState: string;
  readonly states: readonly (string | null)[];
  readonly why: NonNullable<RunPicture['news']['why']>;
}

function statesOf({ parts, news }: RunPicture): (string | null)[] {
  const states: (string | null)[] = parts.map(({ kind }) => (kind === 'flow' ? null : 'PENDING'));
  for (const { part, state } of news.atoms) states[part] = state;
  return states;
}

/** Runs a generated case, looking at it at each stage. */
async function watched(test: ConformanceCase) {
  const root = flowOfCase(test);
  const environment = virtualEnvironment({ advancesByItself: true });
  const engine = await load(root, { engine: 'serial', journal: true, environment });
  const source = new EngineSource(engine);
  const seen: Seen[] = [];
  try {
    for await (const stage of engine.runIter()) {
      await source.look();
      const picture = source.picture();
      const { news } = picture;
      seen.push({
        count: news.entries.length,
        stage,
        flowState: news.flowState,
        states: statesOf(picture),
        why: news.why ?? [],
      });
    }
  } catch {
    // What failed is none of our business here.
  }
  await source.look();
  return { seen, picture: source.picture() };
}

function historyOf(picture: RunPicture): History {
  const history = new History(statesOf(picture), picture.news.flowState);
  history.add(picture.news.entries);
  return history;
}

describe('a moment of a run, found in its history', () => {
  const everyCase = (check: (run: Awaited<ReturnType<typeof watched>>) => void) =>
    fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), async (test) => check(await watched(test))),
      { numRuns: 150 },
    );

  it('has the states that the run had then, and at the end those that it has now', async () => {
    await everyCase(({ seen, picture }) => {
      const history = historyOf(picture);
      for (const { count, flowState, states } of seen) {
        expect(history.at(count)).toMatchObject({ count, flowState, states });
      }
      const end = history.at(Infinity);
      expect(end).toMatchObject({ flowState: picture.news.flowState, states: statesOf(picture) });
    });
  });

  it('names the stage of the engine in which an atom began or ended', async () => {
    await everyCase(({ seen, picture: { news } }) => {
      const wrong: string[] = [];
      seen.forEach(({ count, stage }, at) => {
        const until = seen[at + 1]?.count ?? count;
        for (let place = count; place < until; place++) {
          const entry = news.entries[place];
          if (entry === undefined || entry.part === null || entry.from === entry.to) continue;
          const found = stageAt(news.entries, place + 1, null);
          if (found !== stage) wrong.push(`${stage}: ${JSON.stringify(entry)} is said to be of ${found}`);
        }
      });
      expect(wrong).toEqual([]);
    });
  });

  it('gives the reasons that the engine gave then, as far as they follow from states', async () => {
    const FOLLOW = ['running', 'result', 'predecessor', 'successors'];
    let compared = 0;
    await everyCase(({ seen, picture }) => {
      const history = historyOf(picture);
      const neighbours = new Neighbours(picture.parts, picture.links);
      for (const { count, why } of seen) {
        const found = whyAt(neighbours, history, history.at(count));
        for (const { part, waitsFor, of } of why) {
          if (part === null || !FOLLOW.includes(waitsFor)) continue;
          // That it was to be undone is seen by its being undone.
          const next = history.nextOf(part, count)?.to ?? null;
          if (waitsFor === 'successors' && next !== 'REVERTING' && next !== 'RETRYING') continue;
          compared += 1;
          const same = found.find((each) => each.part === part);
          expect(same, `${count}: ${waitsFor}`).toMatchObject({ waitsFor, of: of.toSorted((a, b) => a - b) });
        }
      }
    });
    expect(compared).toBeGreaterThan(500);
  });
});
