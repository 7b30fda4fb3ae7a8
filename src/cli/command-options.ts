import type { Command } from 'commander';
import type { FailureNotesOptions } from './failure-notes.js';
import { several } from './option-values.js';
import type { CommonOptions } from './session.js';
import { DEFAULT_STORE, STORE_VARIABLE } from './store-choice.js';

/** Adds the options that all commands have. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--backend <url>', `where runs are kept; default: $${STORE_VARIABLE}, or ${DEFAULT_STORE} in this folder`)
    .option('--json', 'answer with one JSON document on stdout')
    .option('--quiet', 'say nothing beside the answer and what goes wrong');
}

/** Options of commands that show arguments and results. */
export interface ValueOptions extends CommonOptions {
  readonly values?: true;
  readonly mask?: readonly string[];
}

export function withValueOptions(command: Command): Command {
  return command
    .option('--values', 'show arguments and results of atoms')
    .option('--mask <key>', 'put *** in place of the values of this key; may be given several times', several);
}

export function readValueOptions({ values, mask }: ValueOptions): FailureNotesOptions {
  return { showValues: values === true, maskKeys: mask };
}
