import type { EngineStage } from '../../machines/index.js';
import type { PictureEntry } from './run-picture.js';

/**
 * The stage in which the engine was when it wrote the last of some entries. Stages are not in a history, but each writes
 * what it alone does: flows are taken up in RESUMING, atoms begin in SCHEDULING and are completed in ANALYZING.
 *
 * @param now - The stage that the engine is in now, where it is known.
 */
export function stageAt(entries: readonly PictureEntry[], count: number, now: EngineStage | null): EngineStage {
  if (count >= entries.length && now !== null) return now;
  for (let place = Math.min(count, entries.length) - 1; place >= 0; place--) {
    const entry = entries[place];
    const stage = entry === undefined ? null : entry.part === null ? stageOfFlow(entry) : stageOfAtom(entry);
    if (stage !== null) return stage;
  }
  return 'UNDEFINED';
}

function stageOfFlow({ from, to }: PictureEntry): EngineStage | null {
  switch (to) {
    case 'RUNNING':
      return 'RESUMING';
    case 'SUCCESS':
    case 'REVERTED':
    case 'FAILURE':
      return to;
    // A run is prepared before its engine begins: it is taken up, and put aside again.
    case 'SUSPENDED':
      return from === 'RESUMING' ? 'UNDEFINED' : 'SUSPENDED';
    case 'PENDING':
    case 'RESUMING':
      return 'UNDEFINED';
    default:
      return null;
  }
}

function stageOfAtom({ from, to }: PictureEntry): EngineStage | null {
  switch (to) {
    case 'RUNNING':
    case 'REVERTING':
    case 'RETRYING':
      return 'SCHEDULING';
    case 'PENDING':
      return from === null ? null : 'SCHEDULING';
    case 'SUCCESS':
    case 'FAILURE':
    case 'REVERTED':
    case 'REVERT_FAILURE':
      return 'ANALYZING';
    default:
      return null;
  }
}
