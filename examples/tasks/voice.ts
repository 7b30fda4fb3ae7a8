import { task, typed } from '../../src/index.js';

export const shout = task({
  name: 'shout',
  requires: { translated: typed<string>() },
  provides: 'shouted',
  execute: ({ translated }) => `${translated.toUpperCase()}!`,
});
