import { callAll, medianOf } from './job.js';
import type { WorkerJob, WorkerMeasurement } from './job.js';
import { newAnswerer, newCaller } from './sides.js';

/* The process of the engine. A broker in memory has no other: then the worker is in it, too. */

const { kind, ...job } = JSON.parse(process.argv[2] ?? '{}') as WorkerJob & { readonly kind: 'speed' | 'memory' };
const answerer = job.broker === 'memory' ? await newAnswerer(job) : null;
const result = kind === 'memory' ? await memory() : await speed();
await answerer?.close();
process.send?.(result);
process.disconnect();

async function speed(): Promise<WorkerMeasurement> {
  if (job.subject === 'flowstate') return (await import('./flowstate.js')).measureFlowstate(job);
  const caller = await newCaller(job);
  await callAll(caller, job.warmUp, job.inFlight);
  const { times, wallMs } = await callAll(caller, job.n, job.inFlight);
  await caller.close();
  return { p50Ms: medianOf(times), perSecond: (job.n / wallMs) * 1000, firstTaskMs: null };
}

async function memory(): Promise<number[]> {
  const { flowstateMemory } = await import('./flowstate.js');
  return flowstateMemory(job, () => globalThis.gc?.());
}
