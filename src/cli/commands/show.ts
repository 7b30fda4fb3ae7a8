import type { Command } from 'commander';
import type { Failure } from '../../failure.js';
import { printable } from '../../formatters/terminal-text.js';
import { maskValues } from '../../formatters/value-text.js';
import type { AtomDetail, FlowDetail } from '../../persistence/details.js';
import type { Act } from '../command.js';
import type { ValueOptions } from '../command-options.js';
import { readValueOptions, withValueOptions } from '../command-options.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import type { FailureNotesOptions } from '../failure-notes.js';
import { failureText } from '../failure-notes.js';
import { dateText, findRun } from '../find-run.js';
import { runnerOf } from '../live-run.js';
import { printableLines } from '../report.js';
import { optionsOf, originText } from '../run-origin.js';
import { atomsOf, failuresOf, resultOf, treeOfStored } from '../run-tree.js';
import type { Session } from '../session.js';

interface ShowOptions extends ValueOptions {
  readonly stack?: true;
}

export function defineShow(program: Command, act: Act): Command {
  const command = program
    .command('show')
    .summary('show a run: its flow, states and failures')
    .description('Shows a run as it is stored: its flow as a tree, with states and failures. Imports nothing.')
    .argument('<run>', 'the run')
    .option('--stack', 'show the stacks of failures');
  return withValueOptions(command).action(act(show));
}

async function show(session: Session, options: ShowOptions, text: string): Promise<ExitCode> {
  const connection = await session.connection();
  const { bookUuid, flow } = await findRun(connection, text);
  const detail = await connection.getFlowDetail(flow.uuid);
  const pid = await runnerOf(detail, session);
  const values = readValueOptions(options);
  const lines = [
    ...factLines(detail, bookUuid, pid, session),
    '',
    ...treeOfStored(detail, { ...values, colours: session.colours }),
    ...failureLines(detail, options.stack === true),
  ];
  session.answer({ ...documentOf(detail, values), book: bookUuid, runBy: pid }, lines.join('\n'));
  return EXIT.done;
}

function factLines(detail: FlowDetail, book: string, pid: number | null, { colours }: Session): string[] {
  const { engine, executor } = optionsOf(detail);
  const facts: [string, string | null][] = [
    ['run', detail.uuid],
    ['book', book],
    ['module', originText(detail)],
    ['engine', engine === undefined ? null : `${engine}${executor === undefined ? '' : `, ${executor}`}`],
    ['created', dateText(detail.createdAt)],
    ['changed', dateText(detail.updatedAt)],
    ['run by', pid === null ? null : `the process ${pid}`],
  ];
  return facts.flatMap(([name, value]) =>
    value === null ? [] : [`${colours.dim(name.padEnd(8))} ${printable(value)}`],
  );
}

function failureLines(detail: FlowDetail, stack: boolean): string[] {
  return failuresOf(detail).flatMap(({ atom, phase, failure }) => {
    const what = phase === 'execute' ? 'failed' : 'could not be reverted';
    const text = stack ? stackText(failure) : failureText(failure);
    return ['', `${printable(atom)} ${what}: ${text}`];
  });
}

function stackText(failure: Failure): string {
  return [failure, ...failure.causes].map((each) => printableLines(each.stack ?? each.toString())).join('\n');
}

function documentOf(detail: FlowDetail, values: FailureNotesOptions): object {
  const { uuid: run, name: flow, state, revision, createdAt, updatedAt } = detail;
  return {
    run,
    flow,
    state: state ?? 'PENDING',
    revision,
    createdAt,
    updatedAt,
    module: originText(detail),
    ...optionsOf(detail),
    atoms: atomsOf(detail).map((atom) => atomDocument(atom, values)),
  };
}

function atomDocument(detail: AtomDetail, { showValues, maskKeys = [] }: FailureNotesOptions): object {
  const { name, kind, version, state, intention, meta, failure, revertFailure } = detail;
  const { durationMs } = meta;
  return {
    name,
    kind,
    version,
    state: state ?? 'PENDING',
    intention,
    ...(typeof durationMs === 'number' ? { durationMs } : {}),
    ...(showValues && state === 'SUCCESS' ? { result: maskValues(resultOf(detail), new Set(maskKeys)) } : {}),
    failure: failure?.toRecord() ?? null,
    revertFailure: revertFailure?.toRecord() ?? null,
  };
}
