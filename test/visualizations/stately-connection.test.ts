import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type * as statelyInspect from '@statelyai/inspect';
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { times } from '../../src/atoms/retries.js';
import type { Engine } from '../../src/engines/engine.js';
import { load } from '../../src/engines/load.js';
import { NotFoundError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import {
  connectStately,
  connectStatelyInBrowser,
  type StatelySocketOptions,
  type WindowLike,
} from '../../visualizations/index.js';
import type { StatelyInspect } from '../../visualizations/stately-connection.js';
import { manualEnvironment, settled } from '../engines/manual-environment.js';
import { rejection, step, throwing } from '../engines/steps.js';
import { type CompiledSources, compileSources } from '../scenarios/compiled-sources.js';
import { MACHINES } from './all-machines.js';

/** What Stately's inspector is sent. */
interface Told {
  readonly type: string;
  readonly sessionId: string;
  readonly rootId: string;
  readonly parentId?: string;
  readonly sourceId?: string;
  readonly name?: string;
  readonly definition?: string;
  readonly event?: { readonly type: string };
  readonly snapshot?: { readonly value: unknown; readonly context: unknown };
}

/** A websocket on this machine that keeps what arrives. */
class Inspector {
  readonly told: Told[] = [];
  readonly connections: WebSocket[] = [];

  private constructor(private readonly server: WebSocketServer) {
    server.on('connection', (socket) => {
      this.connections.push(socket);
      socket.on('message', (data: Buffer) => this.told.push(JSON.parse(data.toString()) as Told));
    });
  }

  static async listen(port = 0): Promise<Inspector> {
    const server = new WebSocketServer({ host: '127.0.0.1', port });
    await once(server, 'listening');
    const inspector = new Inspector(server);
    open.push(inspector);
    return inspector;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** `<actor> <what>` of one type, without the names of runs. */
  of(type: string, what: (told: Told) => unknown): string[] {
    return this.told
      .filter((told) => told.type === type)
      .map((told) => `${withoutRun(told.sessionId)} ${String(what(told))}`);
  }

  async close(): Promise<void> {
    for (const socket of this.connections) socket.terminate();
    if (this.server.address() === null) return;
    this.server.close();
    await once(this.server, 'close');
  }
}

const open: Inspector[] = [];
afterEach(async () => {
  for (const inspector of open.splice(0)) await inspector.close();
});

function withoutRun(session: string | undefined): string {
  return session?.replace(/^[^/]*\//, '') ?? '';
}

const trip = () =>
  linear('f', { retry: times({ name: 'r' }) }).add(
    step('a', { execute: () => ({ pin: 'hunter2' }) }),
    step('b', { requires: [] }),
  );

async function shown(engine: Engine, inspector: Inspector, options: StatelySocketOptions = {}): Promise<void> {
  const connection = await connectStately(engine, { url: inspector.url, ...options });
  await engine.run().catch(() => undefined);
  await connection.close();
}

describe.each(['compiled', 'native'] as const)('an engine that is %s, in the inspector of Stately', (interpreter) => {
  it('tells of every actor with its name, its parent and its chart', async () => {
    const inspector = await Inspector.listen();
    const engine = await load(trip(), { interpreter });
    await shown(engine, inspector);
    const actors = inspector.told.filter(({ type }) => type === '@xstate.actor');
    expect(actors.map(({ name, parentId }) => `${name} in ${withoutRun(parentId)}`).sort()).toEqual([
      'engine:f in ',
      'flow:f in engine:f',
      'retry:r in engine:f',
      'task:a in engine:f',
      'task:b in engine:f',
    ]);
    const uuid = engine.storage.flowUuid;
    for (const { name, sessionId, rootId, definition = '' } of actors) {
      expect([sessionId, rootId]).toEqual([`${uuid}/${name}`, `${uuid}/engine:f`]);
      const machine = MACHINES.find(({ id }) => name?.startsWith(`${id}:`) === true);
      const { states } = JSON.parse(definition) as { states: object };
      expect(Object.keys(states).sort()).toEqual(Object.keys(machine!.states).sort());
    }
  });

  it('tells of every event and every state, as it was when it happened', async () => {
    const inspector = await Inspector.listen();
    const engine = await load(trip(), { interpreter });
    await shown(engine, inspector);
    const events = inspector
      .of('@xstate.event', ({ event }) => event?.type)
      .filter((each) => !each.includes('xstate.init'));
    const snapshots = inspector.of('@xstate.snapshot', ({ snapshot }) => snapshot?.value);
    const of = (texts: string[], id: string) => [
      ...new Set(texts.filter((text) => text.startsWith(`${id} `)).map((text) => text.slice(id.length + 1))),
    ];
    expect(of(events, 'task:a')).toEqual(['execute', 'succeeded']);
    expect(of(snapshots, 'task:a').filter((state) => state !== 'PENDING')).toEqual(['RUNNING', 'SUCCESS']);
    expect(of(snapshots, 'flow:f').filter((state) => !/PENDING|RESUMING|SUSPENDED/.test(state))).toEqual([
      'RUNNING',
      'SUCCESS',
    ]);
    expect(of(snapshots, 'engine:f').at(-1)).toBe('SUCCESS');
    const first = inspector.told.find(({ type, name }) => type === '@xstate.actor' && name === 'task:b');
    expect(first?.snapshot).toMatchObject({ value: 'PENDING', context: { name: 'b' } });
  });

  it('loses nothing of what happened before the connection was open, however much it is', async () => {
    const inspector = await Inspector.listen();
    const engine = await load(linear('f').addAll(Array.from({ length: 90 }, (_, at) => step(`t${at}`))), {
      interpreter,
    });
    const connection = await connectStately(engine, { url: inspector.url });
    // All of it happens before anything can come from outside.
    await engine.run();
    await connection.close();
    expect(await connection.opened).toBe(true);
    const successes = inspector.of('@xstate.snapshot', ({ snapshot }) => snapshot?.value);
    for (let at = 0; at < 90; at++) expect(successes).toContain(`task:t${at} SUCCESS`);
    expect(inspector.told.length).toBeGreaterThan(600);
  });

  it('shows so many atoms and no more, or those that are wanted', async () => {
    const flow = () => unordered('f').addAll(Array.from({ length: 10 }, (_, at) => step(`t${at}`)));
    const names = (inspector: Inspector) =>
      [...new Set(inspector.told.map(({ sessionId }) => withoutRun(sessionId)))].sort();
    const some = await Inspector.listen();
    const engine = await load(flow(), { interpreter });
    const connection = await connectStately(engine, { url: some.url, maxAtoms: 3 });
    await engine.run();
    await connection.close();
    expect(names(some)).toEqual(['engine:f', 'flow:f', 'task:t0', 'task:t1', 'task:t2']);
    expect(connection.leftOutAtoms).toBe(7);

    const named = await Inspector.listen();
    await shown(await load(flow(), { interpreter }), named, { atoms: ['t7', 't9'] });
    expect(names(named)).toEqual(['engine:f', 'flow:f', 'task:t7', 'task:t9']);
    const none = await Inspector.listen();
    await shown(await load(flow(), { interpreter }), none, { atoms: (name) => name === 't5' });
    expect(names(none)).toEqual(['engine:f', 'flow:f', 'task:t5']);
  });

  it('shows neither results nor failures, unless it is told how', async () => {
    const flow = () =>
      linear('f').add(step('a', { execute: () => 'hunter2' }), step('b', { execute: throwing(new Error('hunter2')) }));
    const inspector = await Inspector.listen();
    await shown(await load(flow(), { interpreter }), inspector);
    expect(inspector.of('@xstate.event', ({ event }) => event?.type)).toContain('task:b failed');
    expect(JSON.stringify(inspector.told)).not.toContain('hunter2');
    const trusted = await Inspector.listen();
    await shown(await load(flow(), { interpreter }), trusted, { sanitizeEvent: (event) => event });
    expect(JSON.stringify(trusted.told)).toContain('"result":"hunter2"');
  });

  it('tells apart the runs of an engine, and engines of the same flow', async () => {
    const inspector = await Inspector.listen();
    const [one, other] = [await load(trip(), { interpreter }), await load(trip(), { interpreter })];
    const connections = [
      await connectStately(one, { url: inspector.url }),
      await connectStately(other, { url: inspector.url }),
    ];
    await one.run();
    await other.run();
    await one.reset();
    await one.run();
    for (const connection of connections) await connection.close();
    const roots = inspector.told.flatMap(({ type, name, sessionId }) =>
      type === '@xstate.actor' && name?.startsWith('engine:') === true ? [sessionId] : [],
    );
    expect(roots.sort()).toEqual(
      [
        `${one.storage.flowUuid}/engine:f`,
        `${one.storage.flowUuid}/engine:f/2`,
        `${other.storage.flowUuid}/engine:f`,
      ].sort(),
    );
    const ended = inspector.told.filter(
      ({ snapshot, event }) => snapshot?.value === 'SUCCESS' && event?.type === 'success',
    );
    expect(new Set(ended.map(({ sessionId }) => sessionId))).toEqual(new Set(roots));
  });
});

describe('the connection to the inspector of Stately', () => {
  it('tries again until somebody listens, and then tells everything', async () => {
    const environment = manualEnvironment();
    const before = await Inspector.listen();
    const { port, url } = before;
    await before.close();
    const engine = await load(trip(), { environment });
    const connection = await connectStately(engine, { url, reconnectMs: 50 });
    await engine.run();
    await vi.waitFor(() => expect(environment.clock.delays).toContain(50));
    const inspector = await Inspector.listen(port);
    environment.clock.advance(50);
    expect(await connection.opened).toBe(true);
    await connection.close();
    expect(inspector.of('@xstate.snapshot', ({ snapshot }) => snapshot?.value)).toContain('task:b SUCCESS');
  });

  it('comes again after a break, and first tells of the actors as they are', async () => {
    const environment = manualEnvironment();
    const first = await Inspector.listen();
    const { port, url } = first;
    const engine = await load(trip(), { environment });
    const connection = await connectStately(engine, { url, reconnectMs: 50 });
    await engine.run();
    await connection.opened;
    await vi.waitFor(() =>
      expect(first.of('@xstate.snapshot', ({ snapshot }) => snapshot?.value)).toContain('flow:f SUCCESS'),
    );
    await first.close();
    await vi.waitFor(() => expect(environment.clock.delays).toContain(50));
    await engine.reset();
    const second = await Inspector.listen(port);
    environment.clock.advance(50);
    await vi.waitFor(() => expect(second.told.length).toBeGreaterThan(0));
    await connection.close();
    const actors = second.of('@xstate.actor', ({ snapshot }) => snapshot?.value);
    expect(actors.sort()).toEqual([
      'engine:f SUCCESS',
      'flow:f SUCCESS',
      'retry:r SUCCESS',
      'task:a SUCCESS',
      'task:b SUCCESS',
    ]);
    expect(second.told.findIndex(({ type }) => type !== '@xstate.actor')).toBe(5);
    expect(second.of('@xstate.snapshot', ({ snapshot }) => snapshot?.value)).toContain('task:a PENDING');
  });

  it('tells nothing more when it is closed, and can be closed twice and without anybody who listens', async () => {
    const inspector = await Inspector.listen();
    const engine = await load(trip());
    const connection = await connectStately(engine, { url: inspector.url });
    await connection.close();
    await connection.close();
    const { length } = inspector.told;
    await engine.run();
    expect(inspector.told).toHaveLength(length);
    const { url } = inspector;
    await inspector.close();
    await using lonely = await connectStately(await load(trip()), { url });
    await lonely.close();
    expect(await lonely.opened).toBe(false);
  });

  it('waits no longer than it was told for another side that says nothing', async () => {
    const environment = manualEnvironment();
    const silent = class {
      readonly readyState = 0;
      onopen: unknown;
      onclose: unknown;
      onerror: unknown;
      send(): void {
        throw new Error('It is not open');
      }
      close(): void {
        (this.onclose as () => void)();
      }
    };
    const engine = await load(trip(), { environment });
    const connection = await connectStately(engine, { webSocket: silent, patienceMs: 70 });
    const closed = connection.close();
    await vi.waitFor(() => expect(environment.clock.delays).toContain(70));
    await settled();
    environment.clock.advance(70);
    await closed;
    expect(await connection.opened).toBe(false);
  });

  it('writes what JSON does not have, and leaves out what cannot be written', async () => {
    const inspector = await Inspector.listen();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const flow = linear('f').add(step('a', { execute: () => 5n }), step('b', { execute: () => circle }));
    const engine = await load(flow);
    await shown(engine, inspector, { sanitizeEvent: (event) => event });
    const texts = inspector.told.map((each) => JSON.stringify(each.event));
    expect(texts).toContain('{"type":"succeeded","result":"5n"}');
    expect(texts).toContain('{"type":"(an event that cannot be shown)"}');
  });

  it('names the package that is missing', async () => {
    vi.doMock('@statelyai/inspect', () => {
      throw new Error('Cannot find package');
    });
    const error = await rejection(connectStately(await load(trip())));
    vi.doUnmock('@statelyai/inspect');
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({
      message: "Stately's inspector needs the package @statelyai/inspect: npm install @statelyai/inspect",
    });
  });

  it('refuses numbers that are none', async () => {
    const engine = await load(trip());
    expect(await rejection(connectStately(engine, { maxAtoms: -1 }))).toEqual(
      new RangeError('maxAtoms of f takes a number from 0, got -1'),
    );
    expect(await rejection(connectStately(engine, { reconnectMs: NaN }))).toEqual(
      new RangeError('reconnectMs takes a number from 0, got NaN'),
    );
  });
});

describe('a process that shows a run in Stately', () => {
  let sources: CompiledSources;
  beforeAll(() => {
    sources = compileSources();
  });
  afterAll(() => {
    sources[Symbol.dispose]();
  });

  /** What the program printed, and how it ended. */
  async function run(...args: string[]): Promise<{ code: unknown; text: string }> {
    const program = spawn(process.execPath, [sources.pathOf('test/scenarios/programs/shown-in-stately.ts'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const text = program.stdout.setEncoding('utf8').toArray();
    const [code] = (await once(program, 'exit')) as [unknown];
    return { code, text: (await text).join('') };
  }

  it('ends when the connection is closed, and all has arrived', async () => {
    const inspector = await Inspector.listen();
    expect(await run(inspector.url, 'closing')).toEqual({ code: 0, text: 'SUCCESS\n' });
    expect(inspector.of('@xstate.snapshot', ({ snapshot }) => snapshot?.value)).toContain('flow:f SUCCESS');
  });

  it('ends by itself where nobody listens', async () => {
    const inspector = await Inspector.listen();
    const { url } = inspector;
    await inspector.close();
    expect(await run(url)).toEqual({ code: 0, text: 'SUCCESS\n' });
  });
});

describe('an engine in a browser, in the inspector of Stately', () => {
  /** The window of a page, as far as pages talk to each other: what is posted is cloned. */
  class Page implements WindowLike {
    readonly opened: string[] = [];
    readonly posted: Told[] = [];
    readonly #listeners: ((event: { readonly data: unknown }) => void)[] = [];

    open(url: string): unknown {
      this.opened.push(url);
      return { postMessage: (message: unknown) => void this.posted.push(structuredClone(message) as Told) };
    }

    addEventListener(_: 'message', listener: (event: { readonly data: unknown }) => void): void {
      this.#listeners.push(listener);
    }

    say(data: unknown): void {
      for (const listener of this.#listeners) listener({ data });
    }
  }

  it('tells everything, also what happened before the inspector was there', async () => {
    const page = new Page();
    const engine = await load(linear('f').addAll(Array.from({ length: 90 }, (_, at) => step(`t${at}`))));
    const connection = await connectStatelyInBrowser(engine, { window: page, url: 'https://inspector.example/' });
    expect(page.opened).toEqual(['https://inspector.example/']);
    await engine.run();
    expect(page.posted).toEqual([]);
    page.say('hello');
    page.say({ type: '@statelyai.connected' });
    expect(await connection.opened).toBe(true);
    await connection.close();
    const states = page.posted.map(({ sessionId, snapshot }) => `${withoutRun(sessionId)} ${String(snapshot?.value)}`);
    for (let at = 0; at < 90; at++) expect(states).toContain(`task:t${at} SUCCESS`);
    expect(page.posted.at(-1)).toEqual({ type: '@statelyai.disconnected' });
    const { length } = page.posted;
    await engine.reset();
    expect(page.posted).toHaveLength(length);
  });

  it('needs a window', async () => {
    expect(await rejection(connectStatelyInBrowser(await load(trip())))).toEqual(
      new TypeError('window takes the window of a browser, and there is no global one'),
    );
  });
});

describe('what is asked of @statelyai/inspect', () => {
  it('is what the package has', () => {
    expectTypeOf<typeof statelyInspect>().toExtend<StatelyInspect>();
  });
});
