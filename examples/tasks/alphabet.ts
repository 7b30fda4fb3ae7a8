import { task } from 'flowstate';

const LETTERS = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];

/** Says each letter as an event of its own, and how far it is. */
export const spell = task({
  name: 'spell',
  provides: 'count',
  events: ['letter'],
  execute: (_, { notify, progress }) => {
    for (const [index, letter] of LETTERS.entries()) {
      notify('letter', { letter, left: LETTERS.length - index - 1 });
      progress((index + 1) / LETTERS.length);
    }
    return LETTERS.length;
  },
});
