/**
 * A flow of three tasks that run in two other processes, each of which has other tasks. All are given a folder to meet in, so nothing has to be
 * installed; with a URL such as `amqp://broker` or `redis://broker` they may be on other machines.
 */
import { engines, linear } from 'flowstate';
import { startWorkers } from './tasks/start-workers.js';
import { shout } from './tasks/voice.js';
import { greet, translate } from './tasks/words.js';

const workers = await startWorkers({ words: './words.js', voice: './voice.js' });
try {
  const engine = await engines.load(linear('call').add(greet, translate, shout), {
    engine: 'workers',
    url: workers.url,
    exchange: 'examples',
    topics: ['words', 'voice'],
    store: { name: 'Ann' },
  });
  engine.atomNotifier.register('*', (state, details) => {
    if ('taskName' in details) console.log(`${details.taskName}: ${state}`);
  });
  console.log(`call: ${await engine.run()}`);
  console.log(engine.storage.fetch('shouted'));
  await engine.close();
} finally {
  await workers.stop();
}
