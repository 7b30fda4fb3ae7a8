import type { FlowState } from '../../machines/index.js';
import { UPDATE_PROGRESS } from '../atoms/task.js';
import type { AtomNode } from '../compiler/compilation.js';
import type { Engine } from '../engines/engine.js';
import type { Clock, Environment, Timer } from '../environment.js';
import { barOf, durationText, printable } from '../formatters/terminal-text.js';
import type { AtomState } from '../persistence/details.js';
import type { RetryNews, TaskNews } from './engine-listener.js';
import { EngineListener } from './engine-listener.js';
import type { TerminalStream } from './live-block.js';
import { LiveBlock } from './live-block.js';
import type { Underway } from './time-left.js';
import { timeLeft } from './time-left.js';

export interface ProgressViewOptions {
  /** Where it is drawn or written. @default process.stderr */
  readonly stream?: TerminalStream | undefined;
  /** Where its time comes from. @default the engine's */
  readonly environment?: Environment | undefined;
  /** Nothing is drawn or written. @default false */
  readonly silent?: boolean | undefined;
  /** Drawn again and again, or a line for each atom. @default whether the stream is a terminal that can draw */
  readonly live?: boolean | undefined;
  /** How long tasks take, in milliseconds, by name: `durationsOf` an earlier run. @default not known */
  readonly durations?: ReadonlyMap<string, number> | undefined;
  /** Shortest time between two drawings, in milliseconds. @default 100 */
  readonly refreshMs?: number | undefined;
  /** How many of those that are under way are named. @default 6 */
  readonly mostRunning?: number | undefined;
}

/** As long as nothing happens it is drawn this often: time goes on. */
const TICK_MS = 1000;
const ENDED: ReadonlySet<FlowState> = new Set<FlowState>(['SUCCESS', 'FAILURE', 'REVERTED', 'SUSPENDED']);
const UNDERWAY: ReadonlySet<AtomState> = new Set<AtomState>(['RUNNING', 'REVERTING']);
const NO_DURATIONS: ReadonlyMap<string, number> = new Map();

/** Shows how a run goes on. Made by `progressView`. */
export class ProgressView extends EngineListener {
  readonly #stream: TerminalStream;
  readonly #block: LiveBlock;
  readonly #isSilent: boolean;
  readonly #isLive: boolean;
  readonly #clock: Clock | null;
  readonly #durations: ReadonlyMap<string, number>;
  readonly #refreshMs: number;
  readonly #mostRunning: number;

  #atoms: readonly AtomNode[] = [];
  readonly #states = new Map<string, AtomState>();
  readonly #counts = new Map<AtomState, number>();
  readonly #running = new Map<string, Underway>();
  #flowState: FlowState = 'PENDING';
  /** null while there is no run. */
  #startedAt: number | null = null;
  #drawnAt = -Infinity;
  #timer: Timer | null = null;
  /** Whether the timer stands for something that has happened. */
  #isDue = false;
  #taskRegistrations: Disposable[] = [];

  constructor(engine: Engine, options: ProgressViewOptions = {}) {
    super(engine);
    const { stream = process.stderr, environment, silent = false, durations, refreshMs, mostRunning } = options;
    this.#stream = stream;
    this.#block = new LiveBlock(stream);
    this.#isSilent = silent;
    this.#isLive = options.live ?? (stream.isTTY === true && process.env['TERM'] !== 'dumb');
    this.#clock = environment?.clock ?? null;
    this.#durations = durations ?? NO_DURATIONS;
    this.#refreshMs = refreshMs ?? 100;
    this.#mostRunning = mostRunning ?? 6;
  }

  protected override get clock(): Clock {
    return this.#clock ?? super.clock;
  }

  /** Begins to show the run. Compiles the flow. */
  override register(): this {
    if (this.#isSilent || this.#atoms.length > 0) return this;
    this.engine.compile();
    this.#atoms = this.engine.compilation?.atoms ?? [];
    this.#takeStock();
    for (const { kind, item, name } of this.#atoms) {
      if (!this.#isLive || kind !== 'task') continue;
      const hear = (_: string, { progress }: Record<string, unknown>) => {
        if (typeof progress === 'number') this.#onProgress(name, progress);
      };
      this.#taskRegistrations.push(item.notifier.register(UPDATE_PROGRESS, hear));
    }
    return super.register();
  }

  /** Shows nothing more. What was drawn is taken away. */
  override deregister(): void {
    super.deregister();
    for (const registration of this.#taskRegistrations) registration[Symbol.dispose]();
    this.#taskRegistrations = [];
    this.#atoms = [];
    this.#stopDrawing();
  }

  /** Writes a line that stays, above what is drawn. Nothing when silenced. */
  line(text: string): void {
    if (this.#isSilent) return;
    this.aside(() => {
      this.#stream.write(`${printable(text)}\n`);
    });
  }

  /** Lets somebody else write whole lines where it is drawn: what is drawn is taken away, and drawn again below. */
  aside(write: () => void): void {
    const isDrawn = this.#timer !== null;
    this.#block.clear();
    write();
    if (isDrawn) this.#draw();
  }

  #takeStock(): void {
    const { storage } = this.engine;
    this.#states.clear();
    this.#counts.clear();
    this.#running.clear();
    for (const { name } of this.#atoms) {
      const state = storage.find(name)?.state ?? 'PENDING';
      this.#states.set(name, state);
      this.#counts.set(state, this.#count(state) + 1);
    }
  }

  #count(state: AtomState): number {
    return this.#counts.get(state) ?? 0;
  }

  get #done(): number {
    return this.#count('SUCCESS') + this.#count('IGNORE');
  }

  protected override onTask(state: AtomState, { taskName }: TaskNews): void {
    this.#onAtom(state, taskName);
  }

  protected override onRetry(state: AtomState, { retryName }: RetryNews): void {
    this.#onAtom(state, retryName);
  }

  protected override onFlow(state: FlowState): void {
    this.#flowState = state;
    if (state === 'RUNNING') {
      this.#takeStock();
      this.#startedAt = this.clock.now();
      if (this.#isLive) this.#draw();
    } else if (state === 'RESUMING') {
      // What went before has broken off without a word.
      this.#startedAt = null;
      this.#stopDrawing();
    } else if (ENDED.has(state)) this.#end();
    else if (this.#isLive) this.#redraw();
  }

  #onAtom(state: AtomState, name: string): void {
    const before = this.#states.get(name);
    if (before === undefined) return;
    this.#counts.set(before, this.#count(before) - 1);
    this.#counts.set(state, this.#count(state) + 1);
    this.#states.set(name, state);
    if (UNDERWAY.has(state)) this.#running.set(name, { since: this.clock.now(), share: 0 });
    else this.#running.delete(name);
    if (state === 'FAILURE' || state === 'REVERT_FAILURE') this.line(`  FAILED ${name}`);
    else if (!this.#isLive && state === 'SUCCESS') this.line(`  ${this.#doneText} ${name}`);
    else if (!this.#isLive && state === 'REVERTED') this.line(`  reverted ${name}`);
    if (this.#isLive) this.#redraw();
  }

  #onProgress(name: string, share: number): void {
    const underway = this.#running.get(name);
    if (underway === undefined) return;
    this.#running.set(name, { ...underway, share });
    this.#redraw();
  }

  get #doneText(): string {
    const total = this.#atoms.length;
    return `${String(this.#done).padStart(String(total).length)}/${total}`;
  }

  #end(): void {
    // A run that is taken up is SUSPENDED before it is RUNNING.
    if (this.#startedAt === null) return;
    const took = durationText(this.clock.now() - this.#startedAt);
    this.#stopDrawing();
    this.#startedAt = null;
    const { flowName } = this.engine.storage;
    this.line(`${flowName} ${this.#flowState}: ${this.#done} of ${this.#atoms.length} done, in ${took}`);
  }

  // Drawing ----------------------------------------------------------------------------------------------------------

  /** Draws at once, or when it may be drawn again. */
  #redraw(): void {
    if (this.#startedAt === null || this.#isDue) return;
    const wait = this.#drawnAt + this.#refreshMs - this.clock.now();
    if (wait <= 0) this.#draw();
    else {
      this.#drawIn(wait);
      this.#isDue = true;
    }
  }

  #drawIn(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.clock.setTimer(ms, () => {
      this.#draw();
    });
    // A run that broke off without a word keeps no process alive.
    this.#timer.unref?.();
  }

  #draw(): void {
    this.#drawnAt = this.clock.now();
    this.#block.draw(this.#lines());
    this.#drawIn(TICK_MS);
    this.#isDue = false;
  }

  #stopDrawing(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#isDue = false;
    this.#drawnAt = -Infinity;
    this.#block.clear();
  }

  #lines(): string[] {
    const shown = Math.max(0, Math.min(this.#mostRunning, this.#block.rows - 3));
    const running = [...this.#running].slice(0, shown).map(([name, underway]) => this.#runningLine(name, underway));
    const more = this.#running.size - running.length;
    return [this.#headLine(), this.#countsLine(), ...running, ...(more > 0 ? [`  … and ${more} more`] : [])];
  }

  #headLine(): string {
    const now = this.clock.now();
    let shares = 0;
    for (const [name, { share }] of this.#running) if (this.#states.get(name) === 'RUNNING') shares += share;
    const share = (this.#done + shares) / this.#atoms.length;
    const parts = [
      `${barOf(share)} ${Math.floor(share * 100)} %`,
      this.#doneText.trim(),
      `${printable(this.engine.storage.flowName)} ${this.#flowState}`,
      durationText(now - (this.#startedAt ?? now)),
    ];
    const left = this.#timeLeft(now);
    if (left !== null) parts.push(`about ${durationText(left)} left`);
    return parts.join('  ');
  }

  #timeLeft(now: number): number | null {
    const { compilation, isSerial } = this.engine;
    if (compilation === null || this.#flowState !== 'RUNNING') return null;
    const stateOf = (name: string) => this.#states.get(name) ?? 'PENDING';
    return timeLeft({ compilation, stateOf, running: this.#running, isSerial }, this.#durations, now);
  }

  #countsLine(): string {
    const counts = [...this.#counts].filter(([, count]) => count > 0);
    return `  ${counts.map(([state, count]) => `${count} ${state}`).join(', ')}`;
  }

  #runningLine(name: string, { since, share }: Underway): string {
    const verb = this.#states.get(name) === 'REVERTING' ? 'reverting ' : '';
    const parts = [`  ${verb}${printable(name)}`, durationText(this.clock.now() - since)];
    if (share > 0) parts.push(`${Math.floor(share * 100)} %`);
    return parts.join('  ');
  }
}

/**
 * Shows how a run goes on: on a terminal a block that is drawn again and again, with a bar, counts by state, what is
 * under way and how far, and the time that is left where durations are known; elsewhere a line for each atom.
 *
 * ```ts
 * using view = progressView(engine);
 * await engine.run();
 * ```
 *
 * @returns the view, which listens already. Disposing it takes away what was drawn.
 */
export function progressView(engine: Engine, options: ProgressViewOptions = {}): ProgressView {
  return new ProgressView(engine, options).register();
}
