import type { InspectionEvent } from 'xstate';
import type { Engine } from '../src/engines/engine.js';
import { type Clock, systemEnvironment } from '../src/environment.js';
import { NotFoundError } from '../src/errors.js';
import { importOptional } from '../src/optional-package.js';
import { type ShownActors, StatelyActors } from './stately-actors.js';
import { type SocketClass, type StatelyEvent, StatelySocket } from './stately-socket.js';

export interface StatelyOptions {
  /** The atoms that are shown: their names, or what says so by name. @default all */
  readonly atoms?: Iterable<string> | ((atomName: string) => boolean) | undefined;
  /** How many atoms are shown at most; the engine and the flow always are. @default 100 */
  readonly maxAtoms?: number | undefined;
  /**
   * What is shown of an event. Default: its type and its own fields, without results and failures, which may be secrets.
   */
  readonly sanitizeEvent?: ((event: { readonly type: string }) => { readonly type: string }) | undefined;
}

export interface StatelySocketOptions extends StatelyOptions {
  /** Where the inspector listens. @default 'ws://127.0.0.1:8080' */
  readonly url?: string | undefined;
  /** How long is waited before it is tried to connect again, in milliseconds. @default 1000 */
  readonly reconnectMs?: number | undefined;
  /** Longest wait for the other side, to open and to close the connection, in milliseconds. @default 5000 */
  readonly patienceMs?: number | undefined;
  /** The class of the connection. @default that of the package `ws`, which `@statelyai/inspect` brings */
  readonly webSocket?: SocketClass | undefined;
}

/** What is used of a browser's window. */
export interface WindowLike {
  open(url: string, name: string): unknown;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

export interface StatelyBrowserOptions extends StatelyOptions {
  /** The window that the engine runs in. @default the global one */
  readonly window?: WindowLike | undefined;
  /** Where the inspector is shown. @default a window that is opened */
  readonly iframe?: object | null | undefined;
  /** @default 'https://stately.ai/inspect' */
  readonly url?: string | undefined;
}

/** An engine that is shown in Stately's inspector. */
export interface StatelyConnection extends AsyncDisposable {
  /** Resolves with true when the inspector listens for the first time, with false when it was closed before. */
  readonly opened: Promise<boolean>;
  /** How many atoms are not shown because there are more than `maxAtoms`. */
  readonly leftOutAtoms: number;
  /** Shows what has happened so far and nothing more, and ends the connection. */
  close(): Promise<void>;
}

const PACKAGE = '@statelyai/inspect';
const WHAT = "Stately's inspector";

/** What is used of `@statelyai/inspect`. */
export interface StatelyInspect {
  readonly createInspector: (adapter: { send(event: StatelyEvent): void }) => StatelyInspector;
  readonly createBrowserInspector: (options: object) => StatelyInspector;
}

interface StatelyInspector {
  readonly inspect: { readonly next?: (event: InspectionEvent) => void };
  stop(): void;
}

/** Brings events to an inspector. */
interface Channel {
  readonly inspector: StatelyInspector;
  readonly stop: () => Promise<void>;
}

/**
 * Shows an engine in Stately's inspector, over a websocket: every actor with its chart, every event and every state.
 *
 * Nothing that happens before the connection opens is lost, nor while it is broken: then it is opened again. Actors are
 * called `<uuid of the run>/<id>`, so that several engines can be shown in one inspector. Of a large flow the first
 * `maxAtoms` atoms are shown; each transition costs a few hundred microseconds. Nobody needs to listen, and the process
 * can end meanwhile; while somebody listens it goes on until `close()`.
 *
 * ```ts
 * await using stately = await connectStately(engine, { url: 'ws://127.0.0.1:8080' });
 * await engine.run();
 * ```
 *
 * @throws {NotFoundError} naming the package, when `@statelyai/inspect` is not there.
 * @throws {RangeError} for a number of atoms or of milliseconds that is none.
 */
export async function connectStately(engine: Engine, options: StatelySocketOptions = {}): Promise<StatelyConnection> {
  const { url = 'ws://127.0.0.1:8080', reconnectMs = 1000, patienceMs = 5000 } = options;
  checkNumber('reconnectMs', reconnectMs);
  checkNumber('patienceMs', patienceMs);
  const shown = shownActors(engine, options);
  const { createInspector } = await statelyInspect();
  const socketClass = options.webSocket ?? (await socketOfPackage());
  const clock: Clock = (engine.options.environment ?? systemEnvironment).clock;
  return connected(engine, shown, options, (opened) => {
    const socket = new StatelySocket({ url, socketClass, clock, reconnectMs, patienceMs, opened });
    socket.start();
    const inspector = createInspector({
      send: (event) => {
        socket.send(event);
      },
    });
    return { inspector, stop: () => socket.stop() };
  });
}

/**
 * Shows an engine that runs in a browser's window, as in Electron, in Stately's inspector. See {@link connectStately}.
 *
 * @throws {TypeError} where there is no window.
 */
export async function connectStatelyInBrowser(
  engine: Engine,
  options: StatelyBrowserOptions = {},
): Promise<StatelyConnection> {
  const { iframe, url } = options;
  const shown = shownActors(engine, options);
  const window = options.window ?? (globalThis as { readonly window?: WindowLike }).window;
  if (window === undefined) throw new TypeError('window takes the window of a browser, and there is no global one');
  const { createBrowserInspector } = await statelyInspect();
  return connected(engine, shown, options, (opened) => {
    window.addEventListener('message', ({ data }) => {
      if (typeof data === 'object' && data !== null && 'type' in data && data.type === '@statelyai.connected') opened();
    });
    const inspector = createBrowserInspector({
      window,
      ...(iframe === undefined ? {} : { iframe }),
      ...(url === undefined ? {} : { url }),
      // It keeps what it has sent, too, for an inspector that is loaded again.
      maxDeferredEvents: Infinity,
    });
    const stop = () => {
      inspector.stop();
      return Promise.resolve();
    };
    return { inspector, stop };
  });
}

function connected(
  engine: Engine,
  shown: ShownActors,
  { sanitizeEvent = withoutResult }: StatelyOptions,
  channelFor: (opened: () => void) => Channel,
): StatelyConnection {
  let settle: (isOpen: boolean) => void = () => undefined;
  const opened = new Promise<boolean>((resolve) => (settle = resolve));
  const channel = channelFor(() => {
    settle(true);
  });
  const actors = new StatelyActors(engine.storage.flowUuid, shown);
  const subscription = engine.inspect((event) => {
    const told = actors.told(event);
    if (told === null) return;
    const said = 'event' in told ? { ...told, event: sanitizeEvent(told.event) } : told;
    channel.inspector.inspect.next?.(said);
  });
  const end = async () => {
    subscription.unsubscribe();
    await allTold(channel.inspector);
    await channel.stop();
    settle(false);
  };
  let ended: Promise<void> | null = null;
  const close = () => (ended ??= end());
  return {
    opened,
    get leftOutAtoms() {
      return actors.leftOut;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Resolves when the inspector has told of everything so far. It does so later, one event after the other. */
function allTold({ inspect }: StatelyInspector): Promise<void> {
  return new Promise((resolve) => {
    const last = {
      get type() {
        resolve();
        // It knows of these, and sends none.
        return '@xstate.microstep';
      },
    };
    inspect.next?.(last as InspectionEvent);
  });
}

function withoutResult(event: { readonly type: string }): { readonly type: string } {
  const { result: _, ...shown } = event as { readonly type: string; readonly result?: unknown };
  return shown;
}

function shownActors({ flow }: Engine, { atoms, maxAtoms = 100 }: StatelyOptions): ShownActors {
  checkNumber(`maxAtoms of ${flow.name}`, maxAtoms);
  if (typeof atoms === 'function') return { wants: atoms, maxAtoms };
  if (atoms === undefined) return { wants: () => true, maxAtoms };
  const names = new Set(atoms);
  return { wants: (name) => names.has(name), maxAtoms };
}

function checkNumber(option: string, value: number): void {
  if (typeof value === 'number' && value >= 0) return;
  throw new RangeError(`${option} takes a number from 0, got ${String(value)}`);
}

async function statelyInspect(): Promise<StatelyInspect> {
  return (await importOptional(WHAT, PACKAGE)) as StatelyInspect;
}

/** The class that `@statelyai/inspect` uses itself, found from where that package is. */
async function socketOfPackage(): Promise<SocketClass> {
  const { createRequire } = await import('node:module');
  try {
    const ofPackage = createRequire(createRequire(import.meta.url).resolve(PACKAGE));
    return ofPackage('ws') as SocketClass;
  } catch (cause) {
    throw new NotFoundError(`${WHAT} needs the package ws: npm install ws`, { cause });
  }
}
