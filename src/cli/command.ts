import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.js';
import type { CommonOptions, Session } from './session.js';

/** Does what one command is there for. */
export type Perform<Options extends CommonOptions, Args extends readonly unknown[]> = (
  session: Session,
  options: Options,
  ...operands: Args
) => Promise<ExitCode>;

/** Makes an action for commander, which calls it with the operands, the options and the command. */
export type Act = <Options extends CommonOptions, Args extends readonly unknown[]>(
  perform: Perform<Options, Args>,
) => (...given: unknown[]) => Promise<void>;

/** Adds a command to the program. @returns the command, so that it gets the options that all have. */
export type DefineCommand = (program: Command, act: Act) => Command;
