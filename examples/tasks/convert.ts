import { task, typed } from 'flowstate';

/** Stands for native code that brings its process down on some inputs. */
export const convert = task({
  name: 'convert',
  requires: { file: typed<string>(), attempt: typed<number>() },
  provides: 'converted',
  execute: ({ file, attempt }) => {
    if (file.endsWith('.raw') && attempt < 3) process.kill(process.pid, 'SIGKILL');
    return file.replace('.raw', '.png');
  },
});

export const thumbnail = task({
  name: 'thumbnail',
  requires: { converted: typed<string>() },
  provides: 'thumbnail',
  execute: ({ converted }) => `small ${converted}`,
});
