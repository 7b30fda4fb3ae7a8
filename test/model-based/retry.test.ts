import { describe, it } from 'vitest';
import { retryMachine } from '../../machines/index.js';
import { atomWalker, atomWorld, RETRY_CAUSES } from './atom-world.js';
import { Coverage } from './coverage.js';
import { expectCauseForEach, expectComplete, walkEach } from './expectations.js';
import { pathsOf } from './paths.js';

const { simple, returning } = pathsOf(retryMachine, {
  input: { name: 'subject', index: 0 },
  flags: { isAtStart: 'atStart' },
});

it('each transition of a retry has a cause', () => expectCauseForEach(retryMachine, RETRY_CAUSES));

for (const interpreter of ['compiled', 'native'] as const) {
  for (const checkpoint of ['round', 'change'] as const) {
    describe(`a retry of a real engine (${interpreter}, one commit a ${checkpoint})`, () => {
      const coverage = new Coverage(retryMachine);
      const walker = () => atomWalker(atomWorld('retry', { interpreter, checkpoint }, coverage), RETRY_CAUSES);

      describe('goes along every simple path', () => walkEach(simple, walker));
      describe('comes back, or stays where it is', () => walkEach(returning, walker));
      it('has taken every transition', () => expectComplete(coverage));
    });
  }
}
