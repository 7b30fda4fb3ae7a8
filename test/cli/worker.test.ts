import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engines, linear } from '../../src/index.js';
import { Desk } from './called.js';
import type { Ended } from './called.js';
import { Greet } from './fixtures/greeter.js';

const desk = Desk.forEach();

describe('worker', () => {
  const url = () => `filesystem:${join(desk.folder, 'queues')}?pollingIntervalMs=10`;

  /** Runs a worker; when it takes requests, what is to be done meanwhile; then it is told to end. */
  async function whileServing(args: readonly string[], work: () => Promise<unknown>): Promise<Ended> {
    const working: Promise<unknown>[] = [];
    const ended = await desk.call(['worker', '--url', url(), ...args], {
      onStderr: (text, send) => {
        if (working.length > 0 || !text.includes('greetings')) return;
        working.push(work().finally(() => send('SIGTERM')));
      },
    });
    await Promise.all(working);
    return ended;
  }

  const greet = () =>
    engines.run(linear('hello').add(new Greet()), {
      engine: 'workers',
      url: url(),
      exchange: 'shop',
      store: { who: 'Ann' },
    });

  it('runs the tasks of its configuration, finishes them after SIGTERM, and ends with 0', async () => {
    let results: unknown;
    const { code, stdout, stderr, exits } = await whileServing(['--config', 'worker.json'], async () => {
      results = await greet();
    });
    expect(results).toMatchObject({ greeting: 'Hello, Ann!' });
    expect({ code, exits }).toEqual({ code: 0, exits: [] });
    expect(stdout).toBe('1 requests done, 0 answered again, 0 rejected, 0 given back\n');
    expect(stderr).toContain('test.greet');
    expect(stderr).toContain('Takes no more requests, and finishes those that it has. SIGTERM again ends it at once.');
  });

  it('needs no file, and answers with a document', async () => {
    const module = join(import.meta.dirname, 'fixtures/greeter.ts');
    const args = ['--exchange', 'shop', '--topic', 'greetings', '--task', `${module}:Greet`, '--json'];
    const { code, stdout } = await whileServing(args, greet);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ topic: 'greetings', finished: 1, rejected: 0 });
  });

  it.each([
    [['worker'], 'A worker needs a topic, and tasks: give --config, or --url, --topic and --task'],
    [['worker', '--config', 'missing.json'], 'missing.json cannot be read'],
    [['worker', '--config', 'trip.ts'], 'takes an object with the options of a worker'],
    [['worker', '--config', 'worker.json', '--url', 'smoke:signals'], 'smoke'],
  ])('%j is refused: %s', async (args, why) => {
    const { code, stderr } = await desk.call(args);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });

  it.each([
    ['{"topic": "t"', 'is not JSON'],
    ['[]', 'takes an object with the options of a worker'],
    ['{"topic": "t", "drainMs": -1}', 'takes milliseconds from 0, got -1'],
    ['{"topic": "t", "tasks": "greeter.js"}', 'takes a list, got "greeter.js"'],
    ['{"topic": "t", "tusks": []}', 'There is no worker option "tusks"'],
    ['{"topic": "t", "tasks": ["./missing.js"]}', 'cannot be loaded'],
  ])('the configuration %s is refused: %s', async (text, why) => {
    const path = join(desk.folder, 'worker.json');
    await writeFile(path, text);
    const { code, stderr } = await desk.call(['worker', '--url', url(), '--config', path]);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });
});
