import type { Command } from 'commander';
import { findFactory, makeFlow } from '../../engines/factories.js';
import { loadUntyped } from '../../engines/load.js';
import { isUnderWay } from '../../engines/plan-difference.js';
import type { PlanDifference } from '../../engines/plan-difference.js';
import type { Flow } from '../../flows/flow.js';
import type { Task } from '../../atoms/task.js';
import { DuplicateError } from '../../errors.js';
import type { FlowState } from '../../../machines/index.js';
import type { Connection } from '../../persistence/backend.js';
import type { FlowDetail } from '../../persistence/details.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { readAgain, readRun } from '../find-run.js';
import { severalValues } from '../option-values.js';
import { printableLines } from '../report.js';
import { prose } from '../prose.js';
import type { CommonOptions, Session } from '../session.js';
import { loadModule, placeOf } from '../user-module.js';

interface CheckOptions extends CommonOptions {
  readonly arg?: readonly unknown[];
}

/** States of runs that somebody may yet go on with. */
const UNFINISHED: readonly FlowState[] = ['PENDING', 'RUNNING', 'SUSPENDING', 'SUSPENDED', 'RESUMING', 'FAILURE'];

export function defineCheck(program: Command, act: Act): Command {
  return program
    .command('check')
    .summary('find out whether stored runs can go on with a changed flow')
    .description(
      prose(`Compares the flow of a module with those that runs were stored with. Nothing is changed. Before a release, say,
it finds out which runs the new code would be refused for: exit code 1 when there is one, 0 otherwise.`),
    )
    .argument('<module>', 'the file of the flow')
    .argument('[run...]', 'the runs; default: all runs of that flow that have not ended, and failed ones')
    .option(
      '--arg <value>',
      'an argument of the function that makes the flow; may be given several times',
      severalValues,
    )
    .action(act(check));
}

interface Checked {
  readonly run: string;
  readonly flow: string;
  readonly state: FlowState;
  /** Whether the run is refused unless somebody consents. */
  readonly needsConsent: boolean;
  /** What is different; null for a run without a plan, which takes any flow. */
  readonly difference: PlanDifference | null;
  /** What consent cannot make good. */
  readonly error: string | null;
}

async function check(
  session: Session,
  { arg = [] }: CheckOptions,
  text: string,
  runs: readonly string[],
): Promise<ExitCode> {
  const { name, factories } = await loadModule(placeOf(text, session.platform.cwd));
  // For each run one of its own: a flow that is made is as good as new.
  const flow = await makeFlow(await findFactory(name, { args: arg }, factories));
  const checked: Checked[] = [];
  for (const detail of await detailsOf(session, runs, flow.name)) checked.push(await compare(flow, detail, session));
  const refused = checked.filter(({ needsConsent }) => needsConsent);
  session.answer(
    { module: name, needsConsent: refused.length > 0, runs: checked },
    checked.length === 0
      ? `There are no runs of ${flow.name} that have not ended`
      : checked.map((each) => textOf(each, session)).join('\n'),
  );
  return refused.length === 0 ? EXIT.done : EXIT.failed;
}

async function detailsOf(session: Session, runs: readonly string[], flowName: string): Promise<FlowDetail[]> {
  if (runs.length === 0 && !session.hasStore && session.store.source === 'default') return [];
  const connection = await session.connection();
  if (runs.length > 0) return Promise.all(runs.map((run) => readRun(connection, run)));
  return unfinished(connection, flowName);
}

async function unfinished(connection: Connection, name: string): Promise<FlowDetail[]> {
  const details: FlowDetail[] = [];
  for (const { flow } of await connection.findFlowDetails({ name, states: UNFINISHED })) {
    const detail = await readAgain(connection, flow);
    if (detail !== null) details.push(detail);
  }
  return details;
}

async function compare(flow: Flow | Task, flowDetail: FlowDetail, { platform }: Session): Promise<Checked> {
  const { environment } = platform;
  const engine = await loadUntyped(flow, { flowDetail, environment }, undefined);
  try {
    const difference = engine.planDifference();
    const { storage, compilation } = engine;
    const needsConsent = difference?.needsConsent === true && isUnderWay(storage);
    const checked = { run: flowDetail.uuid, flow: flowDetail.name, state: storage.getFlowState(), difference };
    try {
      storage.checkAtoms(compilation?.atoms.map(({ item }) => item) ?? []);
      return { ...checked, needsConsent, error: null };
    } catch (error) {
      if (!(error instanceof DuplicateError)) throw error;
      return { ...checked, needsConsent: true, error: error.message };
    }
  } finally {
    await engine.close();
  }
}

function textOf({ run, flow, state, needsConsent, difference, error }: Checked, { colours }: Session): string {
  const verdict = needsConsent ? colours.red('needs consent') : colours.green('can go on');
  const listing = difference === null ? 'it was stored without a plan' : String(difference);
  const lines = [...(error === null ? [] : [`! ${error}`]), ...listing.split('\n')];
  return [`${run}  ${flow}  ${state}  ${verdict}`, ...lines.map((line) => printableLines(`  ${line}`))].join('\n');
}
