import type { RunModel } from './run-model.js';

/** What is said where there is nothing to travel through. */
export function NoHistory({ model }: { readonly model: RunModel }) {
  const hasBegun = model.facts.some((facts) => facts !== undefined && facts.state !== 'PENDING');
  return (
    <p class="nothing">
      {hasBegun
        ? 'Nothing is known of how the run came here. Time travel needs a journal, which is kept with the run where its engine is loaded with journal: true.'
        : 'Nothing has happened yet.'}
    </p>
  );
}
