export const BROKERS = ['amqp', 'redis', 'filesystem', 'memory'] as const;
export type BrokerName = (typeof BROKERS)[number];

/** `raw`: the driver alone, as durable as the transport; where there is no driver, the link of the transport alone. */
export type WorkerSubject = 'flowstate' | 'raw' | 'bullmq';

/** One run of one subject: what both of its processes are told. */
export interface WorkerJob {
  readonly broker: BrokerName;
  readonly url: string;
  readonly subject: WorkerSubject;
  /** How many are under way at a time. */
  readonly inFlight: number;
  readonly n: number;
  /** How many are not measured before: connections are used, code is compiled. */
  readonly warmUp: number;
  /** Of everything that is made at the broker. */
  readonly name: string;
}

export interface WorkerMeasurement {
  /** From when a task was given out to when its result was there. One at a time only. */
  readonly p50Ms: number;
  readonly perSecond: number;
  /** From before the engine is loaded to the result of the first task. flowstate only. */
  readonly firstTaskMs: number | null;
}

/** Something that answers as many calls at once as it is asked. */
export interface Caller {
  /** Gives out a number, and checks that it comes back. */
  call(index: number): Promise<void>;
  close(): Promise<void>;
}

/** The other side. */
export interface Answerer {
  close(): Promise<void>;
}

/** Calls so many times, so many at once. @returns how long each took, in milliseconds, and all together. */
export async function callAll(
  { call }: Pick<Caller, 'call'>,
  n: number,
  inFlight: number,
): Promise<{ readonly times: readonly number[]; readonly wallMs: number }> {
  const times: number[] = [];
  let next = 0;
  const begin = performance.now();
  const line = async () => {
    while (next < n) {
      const index = next;
      next += 1;
      const from = performance.now();
      await call(index);
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, line));
  return { times, wallMs: performance.now() - begin };
}

export function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
