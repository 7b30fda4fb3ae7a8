/**
 * A task on a worker tells of what it does: its events come to whoever listens to the task here, in order.
 */
import { engines, linear } from 'flowstate';
import { spell } from './tasks/alphabet.js';
import { startWorkers } from './tasks/start-workers.js';

const workers = await startWorkers({ letters: './alphabet.js' });
try {
  spell.notifier.register('letter', (_, { letter, left }) => console.log(`${String(letter)}, ${String(left)} left`));
  const flow = linear('spelling').add(spell);
  const options = { engine: 'workers', url: workers.url, exchange: 'examples', topics: ['letters'] } as const;
  const { count } = await engines.run(flow, options);
  console.log(`${String(count)} letters`);
} finally {
  await workers.stop();
}
