import { formatError } from 'flowstate';
import { CannotStartError, readCommandLine } from './command-line.js';
import type { ExitCode } from './outcome.js';
import { publishDirectory } from './publish-directory.js';
import type { Output } from './report.js';
import { Report } from './report.js';

/** Does what a command line asks for. @returns the exit code, see `--help`. */
export async function runCommand(args: readonly string[], output: Output, errors: Output): Promise<ExitCode | 2> {
  const report = new Report(output);
  try {
    const options = readCommandLine(args);
    if (!('help' in options)) return await publishDirectory(options, report);
    output.write(options.help);
    return 0;
  } catch (error) {
    errors.write(`${formatError(error)}\n`);
    return error instanceof CannotStartError ? 2 : 3;
  }
}
