import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { compile } from '../../compiler/compile.js';
import type { Compilation } from '../../compiler/compilation.js';
import { findFactory, makeFlow } from '../../engines/factories.js';
import { flowToDot, flowToMermaid, flowToSvg } from '../../../visualizations/flows.js';
import type { FlowPictureOptions } from '../../../visualizations/flow-picture.js';
import type { Act } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { EXIT } from '../exit-codes.js';
import { readRun } from '../find-run.js';
import { oneOf, severalValues } from '../option-values.js';
import { flowOf } from '../run-origin.js';
import { prose } from '../prose.js';
import type { CommonOptions, Session } from '../session.js';
import { isModuleText, loadModule, placeOf } from '../user-module.js';

const FORMATS = {
  mermaid: flowToMermaid,
  dot: flowToDot,
  svg: flowToSvg,
} as const satisfies Record<string, (flow: Compilation, options: FlowPictureOptions) => string>;

type Format = keyof typeof FORMATS;
const FORMAT_NAMES = Object.keys(FORMATS) as Format[];

interface GraphOptions extends CommonOptions {
  readonly format: Format;
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
is a module. Imports the module.`),
    )
    .argument('<module|run>', 'a module or a run')
    .option('--format <format>', `one of ${FORMAT_NAMES.join(', ')}`, oneOf(FORMAT_NAMES), 'mermaid')
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
  const { compilation, states, run } = isModuleText(text, cwd)
    ? await ofModule(session, text, options)
    : await ofRun(session, text, options);
  const picture = FORMATS[options.format](compilation, states === null ? {} : { states });
  const { format, output } = options;
  const document = { run, flow: compilation.name, format };
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

interface Drawn {
  readonly compilation: Compilation;
  readonly states: ((atom: string) => string) | null;
  /** The uuid of the run; null for a flow by itself. */
  readonly run: string | null;
}

async function ofModule({ platform }: Session, text: string, { arg = [] }: GraphOptions): Promise<Drawn> {
  const { name, factories } = await loadModule(placeOf(text, platform.cwd));
  const flow = await makeFlow(await findFactory(name, { args: arg }, factories));
  return { compilation: compile(flow), states: null, run: null };
}

async function ofRun(session: Session, text: string, { module }: GraphOptions): Promise<Drawn> {
  const detail = await readRun(await session.connection(), text);
  const states = new Map(detail.atoms.map(({ name, state }) => [name, state ?? 'PENDING']));
  return {
    compilation: compile(await flowOf(detail, session, module)),
    states: (atom) => states.get(atom) ?? 'PENDING',
    run: detail.uuid,
  };
}
