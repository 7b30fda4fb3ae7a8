import type { FlowState } from '../../machines/index.js';
import type { Engine, FlowDetails } from '../engines/engine.js';
import type { AtomState } from '../persistence/details.js';
import type { ListenerOptions, RetryNews, TaskNews } from './engine-listener.js';
import { EngineListener } from './engine-listener.js';

/** One change of state that was captured. */
export type Captured =
  | { readonly kind: 'flow'; readonly state: FlowState; readonly details: FlowDetails }
  | { readonly kind: 'task'; readonly state: AtomState; readonly details: TaskNews }
  | { readonly kind: 'retry'; readonly state: AtomState; readonly details: RetryNews };

export interface CaptureListenerOptions<Value> extends ListenerOptions {
  /** @default true */
  readonly captureFlow?: boolean | undefined;
  /** @default true */
  readonly captureTask?: boolean | undefined;
  /** @default true */
  readonly captureRetry?: boolean | undefined;
  /** Flows, tasks and retries that are left out, by name. */
  readonly skipFlows?: Iterable<string> | undefined;
  readonly skipTasks?: Iterable<string> | undefined;
  readonly skipRetries?: Iterable<string> | undefined;
  /** Where it is put. @default a list of its own */
  readonly values?: Value[] | undefined;
}

/**
 * Keeps what it hears, in order. For tests.
 *
 * @typeParam Value - What a subclass that overrides `format` keeps.
 * @see TaskFlow `listeners/capturing.py`, `CaptureListener`.
 */
export class CaptureListener<Value = Captured> extends EngineListener {
  readonly values: Value[];
  readonly #skipped: Readonly<Record<Captured['kind'], ReadonlySet<string>>>;

  constructor(engine: Engine, options: CaptureListenerOptions<Value> = {}) {
    const { captureFlow = true, captureTask = true, captureRetry = true, ...others } = options;
    super(engine, {
      ...others,
      ...(captureFlow ? {} : { flowListenFor: null }),
      ...(captureTask ? {} : { taskListenFor: null }),
      ...(captureRetry ? {} : { retryListenFor: null }),
    });
    this.values = options.values ?? [];
    this.#skipped = {
      flow: new Set(options.skipFlows),
      task: new Set(options.skipTasks),
      retry: new Set(options.skipRetries),
    };
  }

  /** What is kept of a change. */
  protected format(captured: Captured): Value {
    return captured as Value;
  }

  protected override onFlow(state: FlowState, details: FlowDetails): void {
    this.#keep(details.flowName, { kind: 'flow', state, details });
  }

  protected override onTask(state: AtomState, details: TaskNews): void {
    this.#keep(details.taskName, { kind: 'task', state, details });
  }

  protected override onRetry(state: AtomState, details: RetryNews): void {
    this.#keep(details.retryName, { kind: 'retry', state, details });
  }

  #keep(name: string, captured: Captured): void {
    if (!this.#skipped[captured.kind].has(name)) this.values.push(this.format(captured));
  }
}
