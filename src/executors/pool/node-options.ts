/** Options of a program that is text on a command line; each of the first is followed by the text. */
const EVALUATION = /^(-e|--eval|-p|--print|-pe)$/;
const EVALUATION_WITH_TEXT = /^--(eval|print)=/;
/** It says what the text on the command line is. */
const INPUT_TYPE = /^--input-type/;
/** Debuggers listen in one place only. */
const DEBUGGER = /^--inspect/;

/** The options of Node.js with which this process was started, without those that are for it alone. */
export function optionsForChildren(options: readonly string[] = process.execArgv): string[] {
  return options.filter((option, at) => {
    const isText = EVALUATION.test(options[at - 1] ?? '');
    return !isText && ![EVALUATION, EVALUATION_WITH_TEXT, INPUT_TYPE, DEBUGGER].some((each) => each.test(option));
  });
}

/** The same for a thread; undefined where it can have those of this process. */
export function optionsForThreads(options: readonly string[] = process.execArgv): string[] | undefined {
  return options.some((option) => INPUT_TYPE.test(option)) ? optionsForChildren(options) : undefined;
}
