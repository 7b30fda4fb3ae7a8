import { describe, expect, it, vi } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import { load } from '../../src/engines/load.js';
import { NotFoundError, StorageError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { OpenTelemetryListener, openTelemetryListener } from '../../src/listeners/open-telemetry-listener.js';
import type { SpanPlace, TracingApi, TracingSpan } from '../../src/listeners/open-telemetry-listener.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { failAfter, interrupting } from '../../src/testing/interrupting-backend.js';
import { manualEnvironment } from '../engines/manual-environment.js';
import { rejection, step, throwing } from '../engines/steps.js';
import { RecordingLogger } from './recording-logger.js';

interface Recorded {
  readonly name: string;
  readonly place: SpanPlace;
  readonly parent: string | null;
  readonly start: number;
  readonly attributes: Record<string, unknown>;
  readonly links: readonly { readonly context: SpanPlace }[];
  readonly exceptions: { readonly name: string; readonly message: string }[];
  status: { readonly code: number; readonly message?: string } | null;
  end: number | null;
}

/** What `@opentelemetry/api` exports, keeping all spans. A context is whatever span is in it. */
class RecordingApi implements TracingApi {
  readonly spans: Recorded[] = [];
  readonly #recorded = new Map<TracingSpan, Recorded>();
  readonly context = { active: () => ({ span: null as TracingSpan | null }) };
  readonly trace: TracingApi['trace'] = {
    getTracer: () => ({
      startSpan: (name, options, context) => {
        const { startTime, attributes, links = [] } = options!;
        const { span: around } = context as { span: TracingSpan | null };
        const parent = around === null ? null : this.#recorded.get(around)!;
        const id = (this.spans.length + 1).toString(16);
        const recorded: Recorded = {
          name,
          place: {
            traceId: parent?.place.traceId ?? id.padStart(32, 'a'),
            spanId: id.padStart(16, '0'),
            traceFlags: 1,
          },
          parent: parent?.name ?? null,
          start: startTime,
          attributes: { ...attributes },
          links,
          exceptions: [],
          status: null,
          end: null,
        };
        const span: TracingSpan = {
          spanContext: () => recorded.place,
          setAttribute: (key, value) => (recorded.attributes[key] = value),
          setStatus: (status) => (recorded.status = status),
          recordException: (exception) => void recorded.exceptions.push(exception),
          end: (time) => {
            expect(recorded.end).toBeNull();
            recorded.end = time!;
          },
        };
        this.#recorded.set(span, recorded);
        this.spans.push(recorded);
        return span;
      },
    }),
    setSpan: (_, span) => ({ span }),
  };

  named(name: string): Recorded[] {
    return this.spans.filter((span) => span.name === name);
  }
}

const environment = manualEnvironment();
const { clock } = environment;
const taking = (ms: number) => () => {
  clock.advance(ms);
  return 'secret';
};

describe('the listener for OpenTelemetry', () => {
  it('makes a span for the run, each flow, and each atom', async () => {
    const api = new RecordingApi();
    const flow = linear('trip').add(
      step('reserve', { execute: taking(10) }),
      linear('payment', { retry: times({ name: 'patience' }) }).add(step('pay', { execute: taking(20) })),
      step('print', { execute: taking(5) }),
    );
    const engine = await load(flow, { environment });
    const begin = clock.now();
    await new OpenTelemetryListener(engine, { api }).during(() => engine.run());
    expect(api.spans.map(({ name, parent, start, end }) => [name, parent, start - begin, end! - begin])).toEqual([
      ['run trip', null, 0, 35],
      ['flow trip', 'run trip', 0, 35],
      ['execute reserve', 'flow trip', 0, 10],
      ['flow payment', 'flow trip', 10, 30],
      ['execute patience', 'flow payment', 10, 10],
      ['execute pay', 'flow payment', 10, 30],
      ['execute print', 'flow trip', 30, 35],
    ]);
    expect(api.named('run trip')[0]).toMatchObject({
      attributes: {
        'flowstate.flow.name': 'trip',
        'flowstate.flow.uuid': engine.storage.flowUuid,
        'flowstate.state': 'SUCCESS',
      },
      status: null,
      links: [],
    });
    expect(api.named('execute pay')[0]?.attributes).toEqual({
      'flowstate.atom.name': 'pay',
      'flowstate.atom.uuid': engine.storage.getAtomUuid('pay'),
      'flowstate.atom.kind': 'task',
      'flowstate.atom.method': 'execute',
      'flowstate.atom.attempt': 1,
      'flowstate.state': 'SUCCESS',
    });
    expect(JSON.stringify(api.spans)).not.toContain('secret');
  });

  it('makes a span for each attempt, and tells of failures', async () => {
    const api = new RecordingApi();
    const flow = linear('f', { retry: times({ name: 'r', attempts: 2 }) }).add(
      step('a', { execute: throwing(new RangeError('Woot!')) }),
    );
    const engine = await load(flow, { environment });
    await rejection(new OpenTelemetryListener(engine, { api }).during(() => engine.run()));
    const attempts = api.named('execute a');
    expect(attempts.map(({ attributes }) => attributes['flowstate.atom.attempt'])).toEqual([1, 2]);
    for (const { status, exceptions, attributes } of attempts) {
      expect(status).toEqual({ code: 2, message: 'Woot!' });
      expect(exceptions).toMatchObject([{ name: 'RangeError', message: 'Woot!' }]);
      expect(attributes).toMatchObject({ 'flowstate.state': 'FAILURE' });
    }
    expect(api.named('revert a')).toHaveLength(2);
    expect(api.named('run f')[0]).toMatchObject({ status: { code: 2 }, attributes: { 'flowstate.state': 'REVERTED' } });
    expect(api.spans.every(({ end }) => end !== null)).toBe(true);
  });

  it('links a run that is resumed with the one before, through the store', async () => {
    const backend = memoryBackend();
    const flow = () => linear('f').add(step('a'), step('b'));
    const first = await load(flow(), { environment, backend });
    first.atomNotifier.register('SUCCESS', () => first.suspend());
    const before = new RecordingApi();
    await new OpenTelemetryListener(first, { api: before }).during(() => first.run());
    expect(before.spans[0]?.attributes).toMatchObject({ 'flowstate.state': 'SUSPENDED' });

    const flowDetail = await (await backend.getConnection()).getFlowDetail(first.storage.flowUuid);
    const { traceId, spanId } = before.spans[0]!.place;
    expect(flowDetail.meta['traceparent']).toBe(`00-${traceId}-${spanId}-01`);
    const second = await load(flow(), { environment, backend, flowDetail });
    const after = new RecordingApi();
    await new OpenTelemetryListener(second, { api: after }).during(() => second.run());
    expect(after.spans.map(({ name }) => name)).toEqual(['run f', 'flow f', 'execute b']);
    expect(after.spans[0]?.links).toEqual([{ context: { traceId, spanId, traceFlags: 1, isRemote: true } }]);
    expect(after.spans[1]?.links).toEqual([]);
  });

  it.each([['nonsense'], [5], [`00-${'x'.repeat(32)}-${'0'.repeat(16)}-01`]])(
    'links with no trace like %s',
    async (kept) => {
      const engine = await load(linear('f').add(step('a')), { environment });
      engine.storage.updateFlowMetadata({ traceparent: kept });
      const api = new RecordingApi();
      await new OpenTelemetryListener(engine, { api }).during(() => engine.run());
      expect(api.spans[0]?.links).toEqual([]);
    },
  );

  it('ends the spans of a run that broke off', async () => {
    const backend = interrupting(memoryBackend(), failAfter(3, new StorageError('gone')));
    const engine = await load(linear('f').add(step('a'), step('b')), {
      environment,
      backend,
      commitRetry: { attempts: 1 },
    });
    const api = new RecordingApi();
    const listener = new OpenTelemetryListener(engine, { api }).register();
    expect(await rejection(engine.run())).toBeInstanceOf(StorageError);
    expect(api.named('run f')[0]?.end).toBeNull();
    await engine.run();
    expect(api.named('run f').map(({ end, status }) => [end, status])).toEqual([
      [clock.now(), { code: 2 }],
      [clock.now(), null],
    ]);
    listener.deregister();
    expect(api.spans.every(({ end }) => end !== null)).toBe(true);
  });

  it('goes on without what cannot be kept', async () => {
    const engine = await load(linear('f').add(step('a')), { environment });
    engine.storage.updateFlowMetadata = () => {
      throw new StorageError('Woot!');
    };
    const [api, logger] = [new RecordingApi(), new RecordingLogger()];
    await new OpenTelemetryListener(engine, { api, logger }).during(() => engine.run());
    expect(logger.entries).toEqual([['warn', "The trace of the flow 'f' could not be kept: Woot!"]]);
    expect(api.spans).toHaveLength(3);
  });

  it('is made with what it is given, and names the package that is missing otherwise', async () => {
    const engine = await load(linear('f').add(step('a')));
    expect(await openTelemetryListener(engine, { api: new RecordingApi() })).toBeInstanceOf(OpenTelemetryListener);
    vi.doMock('@opentelemetry/api', () => {
      throw new Error('Cannot find package');
    });
    const error = await rejection(openTelemetryListener(engine));
    vi.doUnmock('@opentelemetry/api');
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({
      message: 'Tracing needs the package @opentelemetry/api: npm install @opentelemetry/api',
      cause: expect.any(Error) as Error,
    });
  });
});
