/**
 * A part of a flow that is tried again, each time with the next of several mirrors. What it had done is undone before.
 */
import { engines, forEach, linear, task, typed } from 'flowstate';

const openFolder = task({
  name: 'open folder',
  execute: () => console.log('open a folder'),
  revert: () => console.log('empty the folder'),
});

const download = task({
  name: 'download',
  requires: { mirror: typed<string>() },
  provides: 'file',
  execute: ({ mirror }) => {
    console.log(`download from ${mirror}`);
    if (mirror !== 'mirror-3') throw new Error(`${mirror} does not answer`);
    return `a file from ${mirror}`;
  },
});

const announce = task({
  name: 'announce',
  requires: { file: typed<string>() },
  execute: ({ file }) => console.log(`got ${file}`),
});

const mirrors = forEach({ values: ['mirror-1', 'mirror-2', 'mirror-3'], provides: 'mirror' });
const fetching = linear('fetching', { retry: mirrors }).add(openFolder, download);

const engine = await engines.load(linear('install').add(fetching, announce));
await engine.run();

for (const { provided, failures } of engine.storage.getRetryHistory('fetching_retry')) {
  const failure = failures.get('download');
  console.log(`${String(provided)}: ${failure === undefined ? 'worked' : failure.message}`);
}
await engine.close();
