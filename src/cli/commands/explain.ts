import type { Command } from 'commander';
import type { Engine } from '../../engines/engine.js';
import type { Explanation } from '../../engines/explain.js';
import { NotFoundError } from '../../errors.js';
import { valueText } from '../../formatters/value-text.js';
import { nearestName } from '../../nearest-name.js';
import type { Act } from '../command.js';
import type { ValueOptions } from '../command-options.js';
import { readValueOptions, withValueOptions } from '../command-options.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import type { FailureNotesOptions } from '../failure-notes.js';
import { readRun } from '../find-run.js';
import { preparedEngine } from '../look-at.js';
import { printableLines } from '../report.js';
import { prose } from '../prose.js';
import type { Session } from '../session.js';
import { maskValues } from '../../formatters/value-text.js';

interface ExplainCommandOptions extends ValueOptions {
  readonly module?: string;
  readonly revert?: true;
}

export function defineExplain(program: Command, act: Act): Command {
  const command = program
    .command('explain')
    .summary('say where the value of an argument comes from')
    .description(
      prose(`Says step by step where the value of an argument comes from as things are now, or why there is none: each place that
is looked into, and each atom that provides it, chosen or passed over. Imports the module of the run.`),
    )
    .argument('<run>', 'the run')
    .argument('<atom>', 'a task or a retry')
    .argument('[argument]', 'one of its arguments; default: all of them')
    .option('--revert', 'of its revert instead of its execute')
    .option('--module <file>', 'take the flow from this module');
  return withValueOptions(command).action(act(explain));
}

async function explain(
  session: Session,
  options: ExplainCommandOptions,
  text: string,
  atom: string,
  argument: string | undefined,
): Promise<ExitCode> {
  const detail = await readRun(await session.connection(), text);
  const engine = await preparedEngine(detail, session, options.module);
  try {
    const method = options.revert === true ? 'revert' : 'execute';
    const names = argument === undefined ? argumentsOf(engine, atom, method) : [argument];
    const values = readValueOptions(options);
    const explanations = names.map((name) => engine.explain(known(engine, atom), name, { method }));
    session.answer(
      {
        run: detail.uuid,
        flow: detail.name,
        atom,
        method,
        arguments: explanations.map((each) => documentOf(each, values)),
      },
      names.length === 0
        ? `${method} of ${atom} takes no arguments that are looked up`
        : explanations.map((each) => textOf(each, values)).join('\n'),
    );
    return EXIT.done;
  } finally {
    await engine.close();
  }
}

/** Atoms that are named when none is near. */
const MOST_NAMED = 20;

/** @throws {NotFoundError} for an atom that the flow does not have, naming the nearest. */
function known(engine: Engine, atom: string): string {
  const { compilation } = engine;
  if (compilation === null || compilation.hasAtom(atom)) return atom;
  const names = compilation.atoms.map(({ name }) => name);
  const meant = nearestName(atom, names);
  const hint = meant === null ? `, only ${names.slice(0, MOST_NAMED).join(', ')}` : `; did you mean ${meant}?`;
  throw new NotFoundError(`There is no atom ${JSON.stringify(atom)} in ${engine.flow.name}${hint}`);
}

function argumentsOf(engine: Engine, atom: string, method: 'execute' | 'revert'): string[] {
  const item = engine.compilation?.atom(known(engine, atom)).item;
  const mapping = method === 'execute' ? item?.executeMapping : item?.revertMapping;
  return [...(mapping?.bindings.keys() ?? [])];
}

function documentOf(explanation: Explanation, { showValues, maskKeys = [] }: FailureNotesOptions): object {
  const { argument, symbol, isOptional, steps, chosen, missing } = explanation;
  const hasValue = showValues && missing === null;
  const masked = new Set(maskKeys);
  const value = hasValue ? { value: masked.has(argument) ? '***' : maskValues(explanation.value, masked) } : {};
  return { argument, symbol, isOptional, chosen, missing, steps, ...value };
}

function textOf(explanation: Explanation, { showValues, maskKeys = [] }: FailureNotesOptions): string {
  const text = printableLines(String(explanation));
  if (!showValues || explanation.missing !== null) return text;
  const { argument, value } = explanation;
  return `${text}\n  the value: ${valueText(new Set(maskKeys).has(argument) ? '***' : value, { maskKeys })}`;
}
