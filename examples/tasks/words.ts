import { task, typed } from 'flowstate';

export const greet = task({
  name: 'greet',
  requires: { name: typed<string>() },
  provides: 'greeting',
  execute: ({ name }) => `Hello ${name}`,
});

export const translate = task({
  name: 'translate',
  requires: { greeting: typed<string>() },
  provides: 'translated',
  execute: ({ greeting }) => greeting.replace('Hello', 'Bonjour'),
});
