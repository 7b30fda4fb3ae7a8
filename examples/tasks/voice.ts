import { task, typed } from 'flowstate';

export const shout = task({
  name: 'shout',
  requires: { translated: typed<string>() },
  provides: 'shouted',
  execute: ({ translated }) => `${translated.toUpperCase()}!`,
});
