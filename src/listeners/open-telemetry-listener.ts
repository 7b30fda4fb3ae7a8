import type { FlowState } from '../../machines/index.js';
import type { AtomNode, FlowNode } from '../compiler/compilation.js';
import type { Engine, FlowDetails } from '../engines/engine.js';
import { StorageError } from '../errors.js';
import { Failure, formatError } from '../failure.js';
import { importOptional } from '../optional-package.js';
import type { AtomState } from '../persistence/details.js';
import type { ListenerOptions, RetryNews, TaskNews } from './engine-listener.js';
import { EngineListener, FINISHED } from './engine-listener.js';

type Attributes = Record<string, string | number | boolean>;

/** Where a span is, as it can be kept and sent. */
export interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

/** What is used of a span of `@opentelemetry/api`. Times are in milliseconds since 1970. */
export interface TracingSpan {
  spanContext(): SpanPlace;
  setAttribute(name: string, value: string): unknown;
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  recordException(
    exception: { readonly name: string; readonly message: string; readonly stack?: string },
    time?: number,
  ): void;
  end(time?: number): void;
}

/** What is used of `@opentelemetry/api`. */
export interface TracingApi {
  readonly trace: {
    getTracer(name: string): {
      startSpan(
        name: string,
        options?: {
          readonly startTime: number;
          readonly attributes: Attributes;
          readonly links?: { readonly context: SpanPlace & { readonly isRemote: boolean } }[];
        },
        context?: object,
      ): TracingSpan;
    };
    setSpan(context: object, span: TracingSpan): object;
  };
  readonly context: { active(): object };
}

export interface OpenTelemetryListenerOptions extends Pick<ListenerOptions, 'logger'> {
  readonly api: TracingApi;
}

interface OpenSpan {
  readonly span: TracingSpan;
  /** For spans within it. */
  readonly context: object;
  /** When the last span within it ended. */
  lastEnd: number;
}

/** SpanStatusCode.ERROR */
const ERROR = 2;
const PACKAGE = '@opentelemetry/api';
const FAILED: ReadonlySet<FlowState> = new Set<FlowState>(['FAILURE', 'REVERTED']);
const ENDED: ReadonlySet<FlowState> = new Set<FlowState>(['SUCCESS', 'SUSPENDED', ...FAILED]);
/** Where the place of the run's span is kept, in the form of W3C trace context. */
const TRACE_PARENT = 'traceparent';

/**
 * Traces runs: one span for each run of the engine, within it one for each flow, and within these one for each attempt
 * to execute or revert an atom. A run that goes on from an earlier one, perhaps of another process, is linked with it.
 *
 * Names, ids, states and failures are told, and neither arguments nor results. Flows end with the last atom in them that
 * ran; their spans are handed over when the run ends.
 *
 * @see `openTelemetryListener`, which finds the package.
 */
export class OpenTelemetryListener extends EngineListener {
  readonly #api: TracingApi;
  #run: OpenSpan | null = null;
  readonly #flows = new Map<FlowNode, OpenSpan>();
  readonly #atoms = new Map<string, TracingSpan>();
  readonly #attempts = new Map<string, number>();

  constructor(engine: Engine, { api, ...options }: OpenTelemetryListenerOptions) {
    super(engine, options);
    this.#api = api;
  }

  /** Ends the spans of a run that is under way. */
  override deregister(): void {
    super.deregister();
    this.#endRun();
  }

  protected override onFlow(state: FlowState, { flowName, flowUuid }: FlowDetails): void {
    // An earlier run may have broken off without a word.
    if (state === 'RUNNING' || state === 'RESUMING') this.#endRun();
    if (state === 'RUNNING') this.#beginRun(flowName, flowUuid);
    else if (ENDED.has(state)) this.#endRun(state);
  }

  protected override onTask(state: AtomState, { taskName, taskUuid, result }: TaskNews): void {
    this.#onAtom(state, taskName, taskUuid, result);
  }

  protected override onRetry(state: AtomState, { retryName, retryUuid, result }: RetryNews): void {
    this.#onAtom(state, retryName, retryUuid, result);
  }

  #start(name: string, attributes: Attributes, context: object, links: SpanPlace[] = []): OpenSpan {
    const now = this.clock.now();
    const options = {
      startTime: now,
      attributes,
      ...(links.length === 0 ? {} : { links: links.map((place) => ({ context: { ...place, isRemote: true } })) }),
    };
    const span = this.#api.trace.getTracer('flowstate').startSpan(name, options, context);
    return { span, context: this.#api.trace.setSpan(context, span), lastEnd: now };
  }

  #beginRun(name: string, uuid: string): void {
    const { storage } = this.engine;
    const earlier = placeOf(storage.flowMeta[TRACE_PARENT]);
    const attributes = { 'flowstate.flow.name': name, 'flowstate.flow.uuid': uuid };
    this.#run = this.#start(`run ${name}`, attributes, this.#api.context.active(), earlier === null ? [] : [earlier]);
    try {
      storage.updateFlowMetadata({ [TRACE_PARENT]: traceParentOf(this.#run.span.spanContext()) });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.logger.warn(`The trace of the flow '${name}' could not be kept: ${formatError(error)}`);
    }
  }

  /** @param state - None for a run that broke off. */
  #endRun(state?: FlowState): void {
    if (this.#run === null) return;
    const now = this.clock.now();
    for (const span of this.#atoms.values()) span.end(now);
    for (const { span, lastEnd } of [...this.#flows.values()].reverse()) span.end(lastEnd);
    const { span } = this.#run;
    if (state !== undefined) span.setAttribute('flowstate.state', state);
    if (state === undefined || FAILED.has(state)) span.setStatus({ code: ERROR });
    span.end(now);
    this.#run = null;
    this.#atoms.clear();
    this.#flows.clear();
    this.#attempts.clear();
  }

  #onAtom(state: AtomState, name: string, uuid: string, result: unknown): void {
    const { compilation } = this.engine;
    if (this.#run === null || compilation?.hasAtom(name) !== true) return;
    const node = compilation.atom(name);
    if (state === 'RUNNING' || state === 'REVERTING') {
      this.#atoms.get(name)?.end(this.clock.now());
      this.#atoms.set(name, this.#startAtom(this.#run, node, uuid, state === 'RUNNING' ? 'execute' : 'revert'));
    } else if (FINISHED.has(state)) this.#endAtom(this.#run, node, state, result);
  }

  #startAtom(run: OpenSpan, node: AtomNode, uuid: string, method: 'execute' | 'revert'): TracingSpan {
    const { name, kind } = node;
    const key = `${method} ${name}`;
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    const attributes = {
      'flowstate.atom.name': name,
      'flowstate.atom.uuid': uuid,
      'flowstate.atom.kind': kind,
      'flowstate.atom.method': method,
      'flowstate.atom.attempt': attempt,
    };
    return this.#start(key, attributes, this.#around(run, node.parent).context).span;
  }

  #endAtom(run: OpenSpan, { name, parent }: AtomNode, state: AtomState, result: unknown): void {
    const span = this.#atoms.get(name);
    if (span === undefined) return;
    const now = this.clock.now();
    span.setAttribute('flowstate.state', state);
    if (result instanceof Failure) {
      const { name: type, message, stack } = result;
      span.recordException({ name: type, message, ...(stack === null ? {} : { stack }) }, now);
      span.setStatus({ code: ERROR, message });
    }
    span.end(now);
    this.#atoms.delete(name);
    for (let flow = parent; flow !== null; flow = flow.parent) this.#around(run, flow).lastEnd = now;
  }

  /** The span of a flow, begun when something in it is; of the run where there is no flow. */
  #around(run: OpenSpan, flow: FlowNode | null): OpenSpan {
    if (flow === null) return run;
    const known = this.#flows.get(flow);
    if (known !== undefined) return known;
    const { context } = this.#around(run, flow.parent);
    const attributes = { 'flowstate.flow.name': flow.name, 'flowstate.flow.pattern': flow.item.pattern };
    const begun = this.#start(`flow ${flow.name}`, attributes, context);
    this.#flows.set(flow, begun);
    return begun;
  }
}

/**
 * Makes a listener that traces runs with OpenTelemetry.
 *
 * @param options.api - What `@opentelemetry/api` exports. Default: the package is imported.
 * @throws {NotFoundError} naming the package, when it is not there.
 */
export async function openTelemetryListener(
  engine: Engine,
  { api, ...options }: Partial<OpenTelemetryListenerOptions> = {},
): Promise<OpenTelemetryListener> {
  return new OpenTelemetryListener(engine, {
    ...options,
    api: api ?? ((await importOptional('Tracing', PACKAGE)) as TracingApi),
  });
}

function traceParentOf({ traceId, spanId, traceFlags }: SpanPlace): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

function placeOf(traceParent: unknown): SpanPlace | null {
  if (typeof traceParent !== 'string') return null;
  const parts = /^00-(?<traceId>[0-9a-f]{32})-(?<spanId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})$/.exec(traceParent)?.groups;
  const { traceId, spanId, flags } = parts ?? {};
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
}
