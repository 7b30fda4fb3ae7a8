import { hostname } from 'node:os';
import type { Listing } from '../../atoms/task-registry.js';
import type { WorkerSettings } from './options.js';

export interface BannerParts {
  readonly settings: WorkerSettings;
  /** The name of the transport, without a password. */
  readonly transport: string;
  readonly tasks: readonly Listing[];
}

/** Who a worker is, in a few lines. */
export function banner({ settings, transport, tasks }: BannerParts): string {
  const { workerId, exchange, topic, executorName, capacity } = settings;
  const facts = {
    worker: workerId,
    transport,
    exchange,
    topic,
    executor: `${executorName}, ${capacity} at once`,
    host: hostname(),
    process: String(process.pid),
    platform: `${process.platform} ${process.arch}, Node.js ${process.version}`,
  };
  const lines = Object.entries(facts).map(([name, value]) => `  ${name.padEnd(9)}  ${value}`);
  const listed = tasks.map(({ name, versions }) => {
    const known = versions.filter((version) => version !== null);
    return `  - ${name}${known.length === 0 ? '' : ` (${known.join(', ')})`}`;
  });
  return ['flowstate worker', ...lines, `  ${tasks.length} tasks`, ...listed].join('\n');
}
