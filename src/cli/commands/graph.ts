import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Task } from '../../atoms/task.js';
import { findFactory, makeFlow } from '../../engines/factories.js';
import { DIAGRAM_FORMATS, drawFlow } from '../../../visualizations/draw.js';
import type { DiagramFormat } from '../../../visualizations/draw.js';
import type { Flow } from '../../flows/flow.js';
import type { FlowDetail } from '../../persistence/details.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { readRun } from '../find-run.js';
import { oneOf, severalValues } from '../option-values.js';
import { flowToLookAt } from '../look-at.js';
import { prose } from '../prose.js';
import type { CommonOptions, Session } from '../session.js';
import { isModuleText, loadModule, placeOf } from '../user-module.js';

interface GraphOptions extends CommonOptions {
  readonly format: DiagramFormat;
  readonly output?: string;
  readonly module?: string;
  readonly arg?: readonly unknown[];
}

export function defineGraph(program: Command, act: Act): Command {
  return program
    .command('graph')
    .summary('draw a flow, or a run with its states')
    .description(
      prose(`Draws the flow of a module, or that of a run with the states of its atoms. What is a file, or is written like one,
is a module. Imports the module; where that is not to be had, the run is drawn as it was stored.`),
    )
    .argument('<module|run>', 'a module or a run')
    .option('--format <format>', `one of ${DIAGRAM_FORMATS.join(', ')}`, oneOf(DIAGRAM_FORMATS), 'mermaid')
    .option('--output <file>', 'write it into a file')
    .option(
      '--arg <value>',
      'an argument of the function that makes the flow; may be given several times',
      severalValues,
    )
    .option('--module <file>', 'for a run: take the flow from this module')
    .action(act(graph));
}

async function graph(session: Session, options: GraphOptions, text: string): Promise<ExitCode> {
  const { cwd } = session.platform;
  const { flow, run } = isModuleText(text, cwd)
    ? { flow: await flowOfModule(session, text, options), run: undefined }
    : await flowOfRun(session, text, options);
  const { format, output } = options;
  const picture = drawFlow(flow, { format, states: run });
  const document = { run: run?.uuid ?? null, flow: flow.name, format };
  if (output === undefined) {
    session.answer({ ...document, graph: picture }, picture.trimEnd());
    return EXIT.done;
  }
  const path = resolve(cwd, output);
  await writeFile(path, picture);
  session.answer({ ...document, output: path }, '');
  session.say(`Written to ${path}`);
  return EXIT.done;
}

async function flowOfModule({ platform }: Session, text: string, { arg = [] }: GraphOptions): Promise<Flow | Task> {
  const { name, factories } = await loadModule(placeOf(text, platform.cwd));
  return makeFlow(await findFactory(name, { args: arg }, factories));
}

async function flowOfRun(session: Session, text: string, { module }: GraphOptions) {
  const run: FlowDetail = await readRun(await session.connection(), text);
  return { flow: await flowToLookAt(run, session, module), run };
}
