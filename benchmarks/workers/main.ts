import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rabbitmq } from '../../test/servers/rabbitmq.js';
import { redis } from '../../test/servers/redis.js';
import type { WorkerRow } from '../bounds.js';
import { verdictsOnWorkers } from '../bounds.js';
import { boundTable } from '../report.js';
import { median } from '../rounds.js';
import { table } from '../table.js';
import type { BrokerName, WorkerJob, WorkerMeasurement, WorkerSubject } from './job.js';
import { BROKERS } from './job.js';
import { measureMemory, measureSpeed } from './run.js';

export const USAGE = `npm run bench -- W7 [--broker amqp,redis,filesystem,memory] [--n 1000] [--repeats 3] [--warm-up 100] [--memory 100000]

  --broker   what carries the messages, by default all; servers are found as the tests find them
  --n        tasks of each run
  --repeats  measured runs of each subject in each cell, each between two runs of the raw round trip
  --warm-up  tasks that each process runs before, which are not measured: it takes thousands until all code is compiled
  --memory   runs so many tasks, 16 at a time, in ten flows, and shows the memory in use after each; nothing else`;

const LEGEND = [
  'Each run has two fresh processes: an engine and a worker. One at a time is a chain of tasks that do nothing, 16 at a',
  'time are independent tasks. raw: the driver alone, sending as much as durably (filesystem and memory: the transport',
  'alone), right before and after each run. × raw: median, and range, of p50 by p50, or of tasks a second by round trips',
  'a second. first: from before the engine is loaded until its first task has ended. noisy: rounds in which raw moved',
  'more than twofold; they do not count unless all are.',
].join('\n');

const IN_FLIGHT = [1, 16] as const;
const QUIET = 2;

/** `npm run bench -- W7`. @returns the exit code. */
export async function measureWorkers(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      broker: { type: 'string', default: BROKERS.join(',') },
      n: { type: 'string', default: '1000' },
      repeats: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '100' },
      memory: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const brokers = BROKERS.filter((broker) => values.broker.split(',').includes(broker));
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${load()}\n${LEGEND}`);
  const rows: WorkerRow[] = [];
  const missing: string[] = [];
  const failures: Failed[] = [];
  for (const broker of brokers) {
    const place = await placeOf(broker);
    if (place === null) {
      missing.push(`${broker} is NOT MEASURED: there is no server`);
      continue;
    }
    try {
      if (values.memory !== undefined) await showMemory(broker, place.url, Number(values.memory));
      else {
        for (const inFlight of IN_FLIGHT) {
          const cell = { broker, url: place.url, inFlight, n: Number(values.n), warmUp: Number(values['warm-up']) };
          const measured = await measureCell(cell, Number(values.repeats));
          rows.push(...measured.rows);
          failures.push(...measured.failures);
        }
      }
    } finally {
      await place.remove();
    }
  }
  if (rows.length > 0) {
    const verdicts = verdictsOnWorkers(rows);
    console.log(`\n${rowTable(rows)}\n\nBounds\n\n${boundTable(verdicts)}`);
  }
  for (const { broker, inFlight, subject, why } of failures) {
    console.log(`\n${broker}, ${inFlight} at once, ${subject}: failed: ${why}`);
  }
  for (const line of missing) console.log(`\n${line}`);
  return missing.length > 0 || failures.some(({ subject }) => subject !== 'bullmq') ? 1 : 0;
}

type Cell = Pick<WorkerJob, 'broker' | 'url' | 'inFlight' | 'n' | 'warmUp'>;

/** A subject that did not come to its end, and is not measured any further in its cell. */
interface Failed extends Pick<Cell, 'broker' | 'inFlight'> {
  readonly subject: WorkerSubject;
  readonly why: string;
}

/** The subjects take turns, and the raw round trip runs right before and after each. */
async function measureCell(cell: Cell, repeats: number): Promise<{ rows: WorkerRow[]; failures: Failed[] }> {
  const { broker, inFlight, n } = cell;
  const subjects: WorkerSubject[] = broker === 'redis' ? ['flowstate', 'bullmq'] : ['flowstate'];
  const rounds = new Map(subjects.map((subject) => [subject, new Array<Round>()]));
  const raws: WorkerMeasurement[] = [];
  const failures: Failed[] = [];
  const attempt = async (subject: WorkerSubject) => {
    const taken = await once(cell, subject);
    if (!('why' in taken)) return taken;
    failures.push(taken);
    return null;
  };
  let before = await attempt('raw');
  for (let round = 0; round < repeats && before !== null; round++) {
    for (const [subject, taken] of rounds) {
      if (before === null || failures.some((failed) => failed.subject === subject)) continue;
      raws.push(before);
      const measured = await attempt(subject);
      const after = await attempt('raw');
      if (measured !== null && after !== null) taken.push({ before, measured, after });
      before = after;
    }
  }
  if (before !== null) raws.push(before);
  const common = { broker, inFlight, n, load: load() };
  const rows: WorkerRow[] = [];
  for (const [subject, taken] of rounds) if (taken.length > 0) rows.push({ ...common, subject, ...summaryOf(taken) });
  if (raws.length > 0) {
    rows.push({ ...common, subject: 'raw', ...mediansOf(raws), byRaw: null, rounds: raws.length, noisy: 0 });
  }
  return { rows, failures };
}

interface Round {
  readonly before: WorkerMeasurement;
  readonly measured: WorkerMeasurement;
  readonly after: WorkerMeasurement;
}

async function once(cell: Cell, subject: WorkerSubject): Promise<WorkerMeasurement | Failed> {
  const job = { ...cell, subject, name: `flowstate_test_${randomUUID()}` };
  try {
    return await measureSpeed(job);
  } catch (error) {
    if (subject === 'bullmq') await (await import('./bullmq.js')).removeBullmq(job);
    const { broker, inFlight } = cell;
    return { broker, inFlight, subject, why: error instanceof Error ? error.message : String(error) };
  }
}

function summaryOf(taken: readonly Round[]) {
  const isQuiet = ({ before, after }: Round) => {
    const [low = 0, high = 0] = [before.perSecond, after.perSecond].toSorted((a, b) => a - b);
    return high <= QUIET * low;
  };
  const quiet = taken.filter(isQuiet);
  const counted = quiet.length > 0 ? quiet : taken;
  const ratios = (read: (one: WorkerMeasurement) => number) => {
    const all = counted.map(({ before, measured, after }) => read(measured) / ((read(before) + read(after)) / 2));
    return { median: median(all), from: Math.min(...all), to: Math.max(...all) };
  };
  return {
    ...mediansOf(counted.map(({ measured }) => measured)),
    byRaw: { p50: ratios(({ p50Ms }) => p50Ms), perSecond: ratios(({ perSecond }) => perSecond) },
    rounds: taken.length,
    noisy: taken.length - quiet.length,
  };
}

function mediansOf(all: readonly WorkerMeasurement[]) {
  const first = all.flatMap(({ firstTaskMs }) => (firstTaskMs === null ? [] : [firstTaskMs]));
  return {
    p50Ms: median(all.map(({ p50Ms }) => p50Ms)),
    perSecond: median(all.map(({ perSecond }) => perSecond)),
    firstTaskMs: first.length === 0 ? null : median(first),
  };
}

function rowTable(rows: readonly WorkerRow[]): string {
  const header = [
    'broker',
    'at once',
    'subject',
    'p50 ms',
    'a second',
    'p50 × raw',
    'a second × raw',
    'first ms',
    'noisy',
  ];
  const ranged = (range: { median: number; from: number; to: number } | undefined) =>
    range === undefined ? '' : `${range.median.toFixed(2)} (${range.from.toFixed(2)}–${range.to.toFixed(2)})`;
  const lines = rows.map((row) => [
    row.broker,
    String(row.inFlight),
    row.subject,
    row.inFlight === 1 ? row.p50Ms.toFixed(2) : '',
    row.perSecond.toFixed(0),
    row.inFlight === 1 ? ranged(row.byRaw?.p50) : '',
    ranged(row.byRaw?.perSecond),
    row.firstTaskMs?.toFixed(0) ?? '',
    `${row.noisy}/${row.rounds}`,
  ]);
  return table(header, lines, 3);
}

async function showMemory(broker: BrokerName, url: string, n: number): Promise<void> {
  const name = `flowstate_test_${randomUUID()}`;
  const job = { broker, url, inFlight: 16, n, warmUp: 0, subject: 'flowstate', name } as const;
  const { engineMb, workerMb } = await measureMemory(job);
  const growth = median(engineMb.slice(-3)) / median(engineMb.slice(0, 3));
  console.log(
    [
      `\n${broker}: in use after each tenth of ${n} tasks, MiB`,
      `  engine  ${engineMb.map((mb) => mb.toFixed(1)).join('  ')}  (last three by first three × ${growth.toFixed(2)})`,
      `  worker  ${workerMb?.toFixed(1) ?? 'in the same process'} at the end`,
    ].join('\n'),
  );
}

async function placeOf(broker: BrokerName): Promise<{ readonly url: string; remove(): Promise<unknown> } | null> {
  if (broker === 'memory') return { url: 'memory://w7', remove: async () => undefined };
  if (broker === 'filesystem') {
    const folder = await mkdtemp(join(tmpdir(), 'benchmark-'));
    return { url: `filesystem:${folder}`, remove: () => rm(folder, { recursive: true }) };
  }
  const server = await (broker === 'amqp' ? rabbitmq : redis).find();
  return server === null ? null : { url: server.url, remove: () => server.stop() };
}

function load(): string {
  return `load average ${loadavg()
    .map((average) => average.toFixed(2))
    .join(' ')}`;
}
