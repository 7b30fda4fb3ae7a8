import { Command, CommanderError } from 'commander';
import { StorageError } from '../errors.js';
import { formatError, Failure } from '../failure.js';
import { withCommonOptions } from './command-options.js';
import { COMMANDS } from './commands.js';
import { EXIT, EXIT_CODES_HELP } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { Platform } from './platform.js';
import { printableLines } from './report.js';
import type { Act } from './command.js';
import type { CommonOptions } from './session.js';
import { prose } from './prose.js';
import { DEFAULT_STORE, STORE_VARIABLE } from './store-choice.js';
import { Session } from './session.js';
import { jsonText } from './json-text.js';
import { packageVersion } from './package-version.js';

const ABOUT = `Runs flows, and looks after what is kept of them.

A MODULE is a JavaScript file whose default export is a flow, a task, or a function that makes one; FILE#NAME means
another export. TypeScript is loaded as far as this Node.js can do so by itself.

A RUN is its uuid, the beginning of it, or the name of its flow when there is one run of it.

Runs are kept in ${DEFAULT_STORE} in the current folder, unless $${STORE_VARIABLE} or --backend says otherwise:
sqlite:trips.db, dir:runs, postgresql://ann:secret@db/trips, mysql://ann:secret@db/trips, zookeeper://host:2181/path.`;

/**
 * Does what a command line says.
 *
 * @param args - Without the names of Node.js and of the program.
 * @returns the exit code; see `flowstate --help`. Never rejects.
 */
export async function runCli(args: readonly string[], platform: Platform): Promise<number> {
  // With `--json` there is one document on stdout, whatever modules and tasks print.
  const isJson = beforeDashes(args).includes('--json');
  const write = isJson ? platform.claimStdout() : (text: string) => void platform.stdout.write(text);
  let code: ExitCode = EXIT.done;
  const program = makeProgram(platform, write, (done) => (code = done));
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (isAnswer(error)) return EXIT.done;
    const message = complain(error, platform);
    if (isJson) write(`${jsonText({ error: { name: Failure.from(error).name, message } })}\n`);
    return error instanceof StorageError ? EXIT.unresolved : EXIT.notBegun;
  }
}

function beforeDashes(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}

function makeProgram(platform: Platform, write: (text: string) => void, end: (code: ExitCode) => void): Command {
  const program = new Command('flowstate')
    .description(prose(ABOUT))
    .version(packageVersion(), '--version', 'show the version')
    .helpOption('--help', 'show this; `flowstate COMMAND --help` says more')
    .helpCommand('help [command]', 'show how a command is used')
    .addHelpText('after', `\n${EXIT_CODES_HELP}`)
    .showHelpAfterError('See flowstate --help.')
    .exitOverride()
    .configureOutput({
      writeOut: write,
      writeErr: (text) => void platform.stderr.write(text),
    });
  const act: Act =
    (perform) =>
    async (...given) => {
      // Commander adds the options and the command to the operands, and knows what each of them is.
      const options = given.at(-2) as CommonOptions;
      await using session = new Session(platform, options, write);
      const performing = perform as (session: Session, ...given: unknown[]) => Promise<ExitCode>;
      end(await performing(session, options, ...given.slice(0, -2)));
    };
  for (const define of COMMANDS) {
    const command = define(program, act);
    withCommonOptions(command)
      .helpOption('--help', 'show this')
      .showHelpAfterError(`See flowstate ${command.name()} --help.`);
  }
  return program;
}

/** Whether it was help or the version that was asked for. */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof CommanderError && (error.code === 'commander.helpDisplayed' || error.code === 'commander.version')
  );
}

/** Says what went wrong. @returns the same in short. */
function complain(error: unknown, { stderr }: Platform): string {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.message;
  const text = printableLines(formatError(error));
  stderr.write(`${text}\n`);
  // The library speaks of the method.
  if (error instanceof StorageError && error.message.includes('upgrade()')) {
    stderr.write('The command for that: flowstate upgrade\n');
  }
  return text;
}
