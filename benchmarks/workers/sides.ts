import type { Answerer, Caller, WorkerJob } from './job.js';

/* Only what is measured is loaded. */

export async function newCaller(job: WorkerJob): Promise<Caller> {
  if (job.subject === 'bullmq') return (await import('./bullmq.js')).bullmqCaller(job);
  if (job.broker === 'amqp') return (await import('./raw-amqp.js')).rawAmqpCaller(job);
  if (job.broker === 'redis') return (await import('./raw-redis.js')).rawRedisCaller(job);
  return (await import('./raw-link.js')).rawLinkCaller(job);
}

export async function newAnswerer(job: WorkerJob): Promise<Answerer> {
  if (job.subject === 'flowstate') return (await import('./flowstate.js')).flowstateAnswerer(job);
  if (job.subject === 'bullmq') return (await import('./bullmq.js')).bullmqAnswerer(job);
  if (job.broker === 'amqp') return (await import('./raw-amqp.js')).rawAmqpAnswerer(job);
  if (job.broker === 'redis') return (await import('./raw-redis.js')).rawRedisAnswerer(job);
  return (await import('./raw-link.js')).rawLinkAnswerer(job);
}
