import type { FlowState } from '../../machines/index.js';

/** How the command ends. See `EXIT_CODES_HELP`. */
export const EXIT = {
  done: 0,
  failed: 1,
  notBegun: 2,
  unresolved: 3,
  suspended: 4,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `Exit codes
  0    done; the run succeeded
  1    the run failed or was cancelled, and everything was reverted; check: a run needs consent;
       suspend, cancel: it did not come to that
  2    nothing was begun: wrong usage, no such run or module, values that are missing, …
  3    something failed that could not be reverted or recorded; resume tries again
  4    the run was suspended by somebody else, and can be resumed
  130  stopped by Ctrl-C (143 by SIGTERM); the run can be resumed`;

/** The exit code of a run that came to a state without an error that says otherwise. */
export function exitCodeOf(state: FlowState): ExitCode {
  switch (state) {
    case 'SUCCESS':
      return EXIT.done;
    case 'REVERTED':
      return EXIT.failed;
    case 'SUSPENDED':
      return EXIT.suspended;
    default:
      return EXIT.unresolved;
  }
}
