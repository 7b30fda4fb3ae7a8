/**
 * A task that may bring its process down, in a process of its own: the program lives on, hears how the process ended, and
 * tries again.
 */
import { engines, linear, times } from 'flowstate';
import { convert, thumbnail } from './tasks/convert.js';

const converting = linear('converting', { retry: times({ attempts: 3, provides: 'attempt' }) }).add(convert);

const engine = await engines.load(linear('import').add(converting, thumbnail), {
  engine: 'parallel',
  executor: 'childProcess',
  maxWorkers: 1,
  taskModules: [new URL('./tasks/convert.js', import.meta.url)],
  store: { file: 'photo.raw' },
});
engine.atomNotifier.register('FAILURE', (_, details) => {
  if ('taskName' in details) console.log(`${details.taskName} failed`);
});
await engine.run();

for (const { provided, failures } of engine.storage.getRetryHistory('converting_retry')) {
  const failure = failures.get('convert');
  console.log(`attempt ${String(provided)}: ${failure === undefined ? 'worked' : failure.toString()}`);
}
console.log(engine.storage.fetch('thumbnail'));
await engine.close();
