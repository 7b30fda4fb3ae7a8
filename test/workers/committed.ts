import type { Engine } from '../../src/index.js';

/** The tasks whose results an engine commits from now on, each as often as that happens. */
export function committedBy({ atomNotifier }: Engine): readonly string[] {
  const committed: string[] = [];
  atomNotifier.register(
    'SUCCESS',
    (_, details) => {
      if ('taskName' in details) committed.push(details.taskName);
    },
    { durable: true },
  );
  return committed;
}
