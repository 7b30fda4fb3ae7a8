import { describe, it } from 'vitest';
import { taskMachine } from '../../machines/index.js';
import { atomWalker, atomWorld, TASK_CAUSES } from './atom-world.js';
import { Coverage } from './coverage.js';
import { expectCauseForEach, expectComplete, walkEach } from './expectations.js';
import { pathsOf } from './paths.js';

const { simple, returning } = pathsOf(taskMachine, {
  input: { name: 'subject', index: 0 },
  flags: { hasProgress: 'hasProgress', isAtStart: 'atStart' },
});

it('each transition of a task has a cause', () => expectCauseForEach(taskMachine, TASK_CAUSES));

for (const interpreter of ['compiled', 'native'] as const) {
  for (const checkpoint of ['round', 'change'] as const) {
    describe(`a task of a real engine (${interpreter}, one commit a ${checkpoint})`, () => {
      const coverage = new Coverage(taskMachine);
      const walker = () => atomWalker(atomWorld('task', { interpreter, checkpoint }, coverage), TASK_CAUSES);

      describe('goes along every simple path', () => walkEach(simple, walker));
      describe('comes back, or stays where it is', () => walkEach(returning, walker));
      it('has taken every transition', () => expectComplete(coverage));
    });
  }
}
