import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { task } from '../../../src/atoms/function-task.js';
import { times } from '../../../src/atoms/retries.js';
import { compile } from '../../../src/compiler/compile.js';
import { planOf } from '../../../src/compiler/plan.js';
import { readPlan } from '../../../src/compiler/read-plan.js';
import type { Engine } from '../../../src/engines/engine.js';
import { linear } from '../../../src/flows/linear.js';
import { memoryBackend } from '../../../src/persistence/backends/memory.js';
import { encryptingCodec } from '../../../src/persistence/codecs/encrypting.js';
import { EngineSource } from '../../../visualizations/inspector/engine-source.js';
import { partsOfFlow } from '../../../visualizations/inspector/flow-parts.js';
import { inspectorPage, storedInspectorPage } from '../../../visualizations/inspector/inspector.js';
import { jsonForScript } from '../../../visualizations/inspector/page-html.js';
import type { AtomFacts, RunPicture } from '../../../visualizations/inspector/run-picture.js';
import { flowOfPlan } from '../../../visualizations/inspector/stored-flow.js';
import { StoredSource } from '../../../visualizations/inspector/stored-source.js';
import type { ValueWordsOptions } from '../../../visualizations/inspector/value-words.js';
import { EVERYTHING, generatedCases } from '../../properties/generated-cases.js';
import { HOSTILE_NAMES } from '../hostile-names.js';
import { album, engineFor, flowOfCase } from './runs.js';

async function pictureOf(engine: Engine, options: ValueWordsOptions = {}): Promise<RunPicture> {
  const source = new EngineSource(engine, options);
  await source.look();
  const picture = source.picture();
  source.close();
  return picture;
}

function factsOf({ parts, news }: RunPicture, name: string): AtomFacts {
  const found = news.atoms.find(({ part }) => parts[part]?.name === name);
  if (found === undefined) throw new Error(`There is no ${name}`);
  return found;
}

async function ended(engine: Engine): Promise<Engine> {
  await engine.run().catch(() => undefined);
  return engine;
}

/** The data of a page. */
function dataIn(html: string): { picture: RunPicture; live: unknown } {
  const [, json = ''] = /<script type="application\/json" id="flowstate-run">(.*?)<\/script>/s.exec(html) ?? [];
  return JSON.parse(json) as never;
}

describe('the picture of a run', () => {
  it('has the flow, with what goes along its links', () => {
    const { parts, links } = partsOfFlow(compile(album().flow));
    expect(parts.map(({ kind, name, parent }) => `${parent ?? '-'} ${kind} ${name}`)).toEqual([
      '- flow summer album',
      '0 task scan',
      '0 task resize',
      '0 task find faces',
      '0 task sort',
      '0 flow upload',
      '5 retry try again',
      '5 task send',
      '5 task verify',
      '0 flow tell',
      '9 task announce',
      '9 task mail',
    ]);
    const named = links.map(({ from, to, carries, decider }) => {
      return `${parts[from]?.name} → ${parts[to]?.name}: ${carries.join(', ')}${decider === null ? '' : ` [${decider}]`}`;
    });
    expect(named.toSorted()).toEqual([
      'find faces → tell: people',
      'resize → upload: thumbnails',
      'scan → find faces: photos',
      'scan → resize: photos',
      'scan → sort: photos, dates',
      'send → verify: address',
      'sort → upload: order',
      'upload → tell: address [FLOW]',
    ]);
    const mail = parts.find(({ name }) => name === 'mail');
    expect(mail?.takes).toEqual([{ argument: 'address', symbol: 'address', isOptional: false, from: [7] }]);
  });

  it('says of values only that they are there, unless they are to be shown', async () => {
    const engine = await ended(await engineFor(album().flow));
    const hidden = await pictureOf(engine);
    expect(hidden.values).toBe('hidden');
    expect(factsOf(hidden, 'send')).toMatchObject({
      state: 'SUCCESS',
      arguments: ['a list, hidden', 'a list, hidden'],
      result: 'a string, hidden',
    });
    expect(JSON.stringify(hidden)).not.toMatch(/photos\.example|beach/);

    const shown = await pictureOf(engine, { showValues: true });
    expect(shown.values).toBe('shown');
    expect(factsOf(shown, 'send')).toMatchObject({
      arguments: ["[ 'beach@200.jpg', 'forest@200.jpg', 'harbour@200.jpg' ]", '[ 0, 2, 1 ]'],
      result: "'https://photos.example/42'",
    });
  });

  it('masks and shortens what it shows', async () => {
    const login = task({
      name: 'log in',
      requires: ['password', 'account'],
      provides: 'session',
      execute: () => ({ user: 'ann', token: 'abc', note: 'x'.repeat(5000) }),
    });
    const store = { password: 'swordfish', account: { name: 'ann', password: 'swordfish' } };
    const engine = await ended(await engineFor(linear('flow').add(login), { store }));
    const picture = await pictureOf(engine, { showValues: true, maskKeys: ['password', 'token'], maxLength: 60 });
    expect(factsOf(picture, 'log in')).toMatchObject({
      arguments: ['***', "{ name: 'ann', password: '***' }"],
      result: expect.stringMatching(/^\{ user: 'ann', token: '\*\*\*', note: 'x+… \(\d+ more\)$/) as string,
    });
    expect(JSON.stringify(picture)).not.toMatch(/swordfish|abc/);
  });

  it('shows nothing of what a store keeps secret, not even what failed', async () => {
    const backend = memoryBackend({ codec: encryptingCodec({ keys: { k1: randomBytes(32) }, current: 'k1' }) });
    const failing = task({
      name: 'fail',
      requires: ['given'],
      execute: ({ given }) => {
        throw new Error(`cannot use ${String(given)}`);
      },
    });
    const engine = await ended(
      await engineFor(linear('flow').add(failing), { backend, journal: true, store: { given: 'swordfish' } }),
    );
    const pages = [
      await inspectorPage(engine, { showValues: true }),
      await storedInspectorPage({ backend, run: engine.storage.flowUuid, showValues: true }),
    ];
    for (const html of pages) {
      expect(html).not.toContain('swordfish');
      expect(dataIn(html).picture.values).toBe('secret');
    }
    await engine.close();
  });

  it('has what failed, what could not be undone, and the attempts of a retry', async () => {
    const stuck = task({
      name: 'stuck',
      execute: () => 1,
      revert: () => {
        throw new RangeError('it sticks');
      },
    });
    const failing = task({
      name: 'fail',
      execute: () => {
        throw new TypeError('it breaks');
      },
    });
    const flow = linear('flow', { retry: times({ name: 'again', attempts: 2 }) }).add(
      linear('inner').add(failing),
      linear('later'),
    );
    const engine = await ended(await engineFor(linear('outer').add(stuck, flow)));
    const picture = await pictureOf(engine, { showValues: true });
    expect(picture.news.flowState).toBe('FAILURE');
    expect(factsOf(picture, 'stuck')).toMatchObject({
      state: 'REVERT_FAILURE',
      revertFailure: { message: 'RangeError: it sticks', stack: expect.stringContaining('picture.test.ts') as string },
    });
    const live = await engineFor(
      linear('flow', { retry: times({ name: 'again', attempts: 2 }) }).add(album({ failing: { verify: 1 } }).flow),
    );
    await live.run();
    expect(factsOf(await pictureOf(live, { showValues: true }), 'again').attempts).toHaveLength(1);
  });

  it('keeps what an atom was given after that was undone, where it was there when the atom began', async () => {
    const engine = await engineFor(album({ failing: { verify: 2 } }).flow, { journal: true });
    const source = new EngineSource(engine, { showValues: true });
    await ended(engine);
    await source.look();
    const given = factsOf(source.picture(), 'send');
    expect(given).toMatchObject({
      state: 'REVERTED',
      arguments: [expect.stringContaining('beach@200.jpg'), '[ 0, 2, 1 ]'],
    });
    expect(factsOf(await pictureOf(engine, { showValues: true }), 'send').arguments).toEqual([null, null]);
    source.close();
  });

  it('has no history where nobody listened and none was kept, and all of it where it was kept', async () => {
    const without = await pictureOf(await ended(await engineFor(album().flow)));
    expect(without).toMatchObject({ history: 'heard', news: { entries: [] } });
    const engine = await ended(await engineFor(album().flow, { journal: true }));
    const picture = await pictureOf(engine);
    expect(picture.history).toBe('journal');
    const journal = await engine.journal();
    expect(picture.news.entries.map(({ sequence, event, to }) => ({ sequence, event, to }))).toEqual(
      journal.map(({ sequence, event, to }) => ({ sequence, event, to })),
    );
  });
});

describe('the picture of a stored run', () => {
  it('is the same as that of the engine that ran it, made without its flow', async () => {
    const backend = memoryBackend();
    const engine = await ended(await engineFor(album({ failing: { verify: 2 } }).flow, { backend, journal: true }));
    const live = await pictureOf(engine, { showValues: true });
    const source = await StoredSource.open(backend, engine.storage.flowUuid, { showValues: true });
    const stored = source.picture();
    source.close();
    const named = ({ parts, news }: RunPicture) =>
      news.atoms.map(({ part, state, failure }) => [parts[part]?.name, state, failure?.message].join(' ')).toSorted();
    expect(named(stored)).toEqual(named(live));
    expect(stored.history).toBe('journal');
    expect(stored.news).toMatchObject({ flowState: 'REVERTED', stage: null, why: null, upTo: live.news.upTo });
    const changes = ({ parts, news }: RunPicture) =>
      news.entries.map(({ part, ...entry }) => ({ ...entry, name: part === null ? null : parts[part]?.name }));
    expect(changes(stored)).toEqual(changes(live));
    await engine.close();
  });

  it('has the arguments that atoms were given', async () => {
    const backend = memoryBackend();
    const engine = await ended(await engineFor(album().flow, { backend }));
    const source = await StoredSource.open(backend, engine.storage.flowUuid, { showValues: true });
    const picture = source.picture();
    source.close();
    expect(factsOf(picture, 'scan').arguments).toEqual(["'/photos/summer'"]);
    expect(factsOf(picture, 'announce').arguments).toEqual(["'https://photos.example/42'", '4']);
    await engine.close();
  });

  it('is news to whoever looks when another engine goes on', async () => {
    const backend = memoryBackend();
    const { flow, gates } = album({ held: ['verify'] });
    const engine = await engineFor(flow, { backend, journal: true });
    engine.compile();
    await engine.prepare();
    const source = await StoredSource.open(backend, engine.storage.flowUuid, { pollMs: 1 });
    const known = source.latest;
    const isNew = new Promise<void>((resolve) => void source.onNews(resolve));
    gates.get('verify')?.open();
    await engine.run();
    await isNew;
    await source.look();
    expect(source.newsFor(known)).toMatchObject({ flowState: 'SUCCESS' });
    expect(source.newsFor(known)?.entries.at(0)?.sequence).toBe(known.upTo + 1);
    source.close();
    await engine.close();
  });

  it('cannot be made of a run that is not stored', async () => {
    const run = '00000000-0000-4000-8000-000000000000';
    await expect(storedInspectorPage({ backend: memoryBackend(), run })).rejects.toThrow(run);
  });

  it('has the parts and links of the flow, read from its plan', () => {
    fc.assert(
      fc.property(generatedCases(EVERYTHING), (test) => {
        const root = flowOfCase(test);
        const compilation = compile(root);
        const again = compile(flowOfPlan(readPlan(planOf(compilation).text)));
        expect(inWords(partsOfFlow(again))).toEqual(inWords(partsOfFlow(compilation)));
      }),
      { numRuns: 200 },
    );
  });
});

function inWords({ parts, links }: Pick<RunPicture, 'parts' | 'links'>) {
  const nameOf = (part: number) => parts[part]?.name;
  return {
    parts: parts
      .map(({ kind, name, pattern, parent, takes, gives }) => ({
        ...{ kind, name, pattern, parent: parent === null ? null : nameOf(parent) },
        gives: gives.toSorted(),
        takes: takes
          .map(({ from, ...rest }) => ({ ...rest, from: from.map(nameOf).toSorted() }))
          .toSorted((a, b) => (a.argument < b.argument ? -1 : 1)),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    links: links
      .map(({ from, to, carries, decider }) => `${nameOf(from)} ${nameOf(to)} ${carries.toSorted().join()} ${decider}`)
      .toSorted(),
  };
}

describe('a page', () => {
  it('is one text that refers to nothing outside of it', async () => {
    const html = await inspectorPage(await engineFor(album().flow));
    const outside = html.replace(/<script>.*?<\/script>|<script type="application\/json".*?<\/script>/gs, '');
    expect(outside).not.toMatch(/https?:|\bsrc=|@import|url\((?!["']?#)/);
    expect(html.match(/href="[^"]*"/g)).toEqual(['href="data:,"']);
    expect(html).not.toContain('connect-src');
  });

  it('keeps texts that would end its script, or begin another, inside of its data', () => {
    const text = `</script><script>alert(1)</script><!-- --> ]]> & \u2028\u2029 ${HOSTILE_NAMES.join(' ')}`;
    const json = jsonForScript({ [text]: text });
    expect(json).not.toMatch(/[<>&\u2028\u2029]/);
    expect(JSON.parse(json)).toEqual({ [text]: text });
  });

  it('has its title escaped', async () => {
    const html = await inspectorPage(await engineFor(linear('</title><script>alert(1)</script>')));
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/title>/g)).toHaveLength(1);
  });
});
