import * as api from '@opentelemetry/api';
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import {
  openTelemetryListener,
  type TracingApi,
  type TracingSpan,
} from '../../src/listeners/open-telemetry-listener.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { manualEnvironment } from '../engines/manual-environment.js';
import { rejection, step, throwing } from '../engines/steps.js';

/*
 * With the packages themselves: `@opentelemetry/api`, imported by the listener, and the SDK behind it, which keeps what
 * it is to export.
 */

const exporter = new InMemorySpanExporter();
const environment = manualEnvironment();
const { clock } = environment;
const taking = (ms: number) => () => {
  clock.advance(ms);
  return 'hunter2';
};

beforeEach(() => {
  api.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
});

afterEach(() => {
  api.trace.disable();
  api.context.disable();
  exporter.reset();
});

const named = (name: string): ReadableSpan[] => exporter.getFinishedSpans().filter((span) => span.name === name);
const millis = ([seconds, nanos]: api.HrTime): number => seconds * 1000 + Math.round(nanos / 1e6);

/** Every span with the one around it, and its time. */
function tree(begin: number): [name: string, around: string | null, start: number, end: number][] {
  const spans = exporter.getFinishedSpans();
  const nameOf = new Map(spans.map((span) => [span.spanContext().spanId, span.name]));
  return spans
    .map((span): [string, string | null, number, number] => [
      span.name,
      span.parentSpanContext === undefined ? null : (nameOf.get(span.parentSpanContext.spanId) ?? '?'),
      millis(span.startTime) - begin,
      millis(span.endTime) - begin,
    ])
    .sort(([one], [other]) => one.localeCompare(other));
}

describe('the listener for OpenTelemetry, with its SDK', () => {
  it('makes a span for the run, each flow and each attempt, with their times', async () => {
    const flow = linear('trip').add(
      step('reserve', { execute: taking(10) }),
      linear('payment', { retry: times({ name: 'patience' }) }).add(step('pay', { execute: taking(20) })),
      step('print', { execute: taking(5) }),
    );
    const engine = await load(flow, { environment });
    const begin = clock.now();
    await (await openTelemetryListener(engine)).during(() => engine.run());
    expect(tree(begin)).toEqual([
      ['execute patience', 'flow payment', 10, 10],
      ['execute pay', 'flow payment', 10, 30],
      ['execute print', 'flow trip', 30, 35],
      ['execute reserve', 'flow trip', 0, 10],
      ['flow payment', 'flow trip', 10, 30],
      ['flow trip', 'run trip', 0, 35],
      ['run trip', null, 0, 35],
    ]);
    expect(new Set(exporter.getFinishedSpans().map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(named('execute pay')[0]?.attributes).toEqual({
      'flowstate.atom.name': 'pay',
      'flowstate.atom.uuid': engine.storage.getAtomUuid('pay'),
      'flowstate.atom.kind': 'task',
      'flowstate.atom.method': 'execute',
      'flowstate.atom.attempt': 1,
      'flowstate.state': 'SUCCESS',
    });
    expect(named('execute pay')[0]?.status).toEqual({ code: api.SpanStatusCode.UNSET });
    expect(named('run trip')[0]?.instrumentationScope.name).toBe('flowstate');
  });

  it('tells of no value', async () => {
    const flow = linear('f').add(
      step('a', { requires: ['password'], provides: 'token', execute: taking(1) }),
      step('b', { requires: ['token'] }),
    );
    const engine = await load(flow, { environment, store: { password: 'hunter2' } });
    await (await openTelemetryListener(engine)).during(() => engine.run());
    const told = exporter.getFinishedSpans().map(({ name, attributes, events, links, status }) => {
      return { name, attributes, events, links, status };
    });
    expect(told).toHaveLength(4);
    expect(JSON.stringify(told)).not.toContain('hunter2');
  });

  it('makes a span for each attempt, and records failures as exceptions', async () => {
    const flow = linear('f', { retry: times({ name: 'r', attempts: 2 }) }).add(
      step('a', { execute: throwing(new RangeError('Woot!')), revert: throwing(new TypeError('stuck')) }),
    );
    const engine = await load(flow, { environment });
    await rejection((await openTelemetryListener(engine)).during(() => engine.run()));
    const attempts = [...named('execute a'), ...named('revert a')];
    const failures = attempts.map(({ attributes, status, events }) => [
      attributes['flowstate.atom.method'],
      attributes['flowstate.atom.attempt'],
      attributes['flowstate.state'],
      status,
      events.map((event) => [
        event.name,
        event.attributes?.['exception.type'],
        event.attributes?.['exception.message'],
      ]),
    ]);
    expect(failures).toEqual([
      [
        'execute',
        1,
        'FAILURE',
        { code: api.SpanStatusCode.ERROR, message: 'Woot!' },
        [['exception', 'RangeError', 'Woot!']],
      ],
      [
        'revert',
        1,
        'REVERT_FAILURE',
        { code: api.SpanStatusCode.ERROR, message: 'stuck' },
        [['exception', 'TypeError', 'stuck']],
      ],
    ]);
    expect(String(attempts[0]?.events[0]?.attributes?.['exception.stacktrace'])).toMatch(/^RangeError: Woot!\n +at /);
    expect(named('run f')[0]?.status).toEqual({ code: api.SpanStatusCode.ERROR });

    exporter.reset();
    const patient = linear('g', { retry: times({ name: 'r', attempts: 3 }) }).add(
      step('a', { execute: throwing(new RangeError('Woot!')) }),
    );
    const again = await load(patient, { environment });
    await rejection((await openTelemetryListener(again)).during(() => again.run()));
    expect(named('execute a').map(({ attributes }) => attributes['flowstate.atom.attempt'])).toEqual([1, 2, 3]);
    expect(named('revert a').map(({ attributes, status }) => [attributes['flowstate.state'], status.code])).toEqual([
      ['REVERTED', api.SpanStatusCode.UNSET],
      ['REVERTED', api.SpanStatusCode.UNSET],
      ['REVERTED', api.SpanStatusCode.UNSET],
    ]);
  });

  it('links a run with the one that it takes up from storage, in a trace of its own', async () => {
    const backend = memoryBackend();
    const flow = () => linear('f').add(step('a'), step('b'));
    const first = await load(flow(), { environment, backend });
    first.atomNotifier.register('SUCCESS', () => {
      first.suspend();
    });
    await (await openTelemetryListener(first)).during(() => first.run());
    const { flowUuid } = first.storage;
    const flowDetail = await (await backend.getConnection()).getFlowDetail(flowUuid);
    const second = await load(flow(), { environment, backend, flowDetail });
    await (await openTelemetryListener(second)).during(() => second.run());
    const [earlier, later] = named('run f');
    expect([earlier?.attributes['flowstate.state'], later?.attributes['flowstate.state']]).toEqual([
      'SUSPENDED',
      'SUCCESS',
    ]);
    expect(later?.links.map(({ context }) => [context.traceId, context.spanId, context.isRemote])).toEqual([
      [earlier?.spanContext().traceId, earlier?.spanContext().spanId, true],
    ]);
    expect(later?.spanContext().traceId).not.toBe(earlier?.spanContext().traceId);
    expect(earlier?.links).toEqual([]);
    expect(later?.attributes['flowstate.flow.uuid']).toBe(flowUuid);
  });

  it('is part of the trace in which the run was asked for', async () => {
    const contexts = new AsyncLocalStorage<api.Context>();
    api.context.setGlobalContextManager({
      active: () => contexts.getStore() ?? api.ROOT_CONTEXT,
      with: (context, work, self, ...args) => contexts.run(context, () => work.apply(self as never, args)),
      bind: (_, target) => target,
      enable() {
        return this;
      },
      disable() {
        contexts.disable();
        return this;
      },
    });
    const engine = await load(linear('f').add(step('a')), { environment });
    const listener = await openTelemetryListener(engine);
    await api.trace.getTracer('caller').startActiveSpan('request', async (request) => {
      await listener.during(() => engine.run());
      request.end();
    });
    expect(tree(clock.now()).map(([name, around]) => [name, around])).toEqual([
      ['execute a', 'flow f'],
      ['flow f', 'run f'],
      ['request', null],
      ['run f', 'request'],
    ]);
  });

  it('costs a run nothing but time where no SDK is there', async () => {
    api.trace.disable();
    const engine = await load(linear('f').add(step('a')), { environment });
    expect(await (await openTelemetryListener(engine)).during(() => engine.run())).toBe('SUCCESS');
    expect([engine.statistics.listenerErrors, exporter.getFinishedSpans()]).toEqual([0, []]);
  });
});

describe('what is asked of @opentelemetry/api', () => {
  it('is what the package has, which can be given as it is', async () => {
    expectTypeOf<typeof api>().toExtend<TracingApi>();
    expectTypeOf<api.Span>().toExtend<TracingSpan>();
    const engine = await load(linear('f').add(step('a')), { environment });
    await (await openTelemetryListener(engine, { api })).during(() => engine.run());
    expect(exporter.getFinishedSpans()).toHaveLength(3);
  });
});
