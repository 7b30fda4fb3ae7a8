import { mkdir, rm, writeFile } from 'node:fs/promises';
import { engines, persistence, printable, progressView } from 'flowstate';
import type { Connection, Engine, FlowDetail, PersistenceBackend } from 'flowstate';
import { inspectorPage } from 'flowstate/visualizations';
import { CannotStartError } from './command-line.js';
import type { Options } from './command-line.js';
import { publishFlow } from './flow.js';
import { suspendOnSignals } from './interruption.js';
import { takeLock } from './lock.js';
import { closingTable, explain } from './outcome.js';
import type { ExitCode } from './outcome.js';
import { Places } from './places.js';
import { makePlan } from './plan.js';
import type { Report } from './report.js';
import { Reserve } from './reserve.js';
import { beginRun, findUnfinished, forgetOldRuns } from './runs.js';
import type { StoredRun } from './runs.js';
import { killAfterAtoms, watch } from './watch.js';

/** What the functions here share. */
interface Office {
  readonly options: Options;
  readonly places: Places;
  readonly reserve: Reserve;
  readonly backend: PersistenceBackend;
  readonly connection: Connection;
  readonly report: Report;
}

/**
 * Publishes a directory, or goes on with a run that was left unfinished.
 *
 * @returns how the process should end.
 * @throws {CannotStartError} when nothing was begun.
 */
export async function publishDirectory(options: Options, report: Report): Promise<ExitCode> {
  const office = await openOffice(options, report);
  const { backend, connection, places } = office;
  try {
    const unlock = await takeLock(connection, places.out);
    try {
      const code = await perform((await findUnfinishedOf(office)) ?? (await begin(office)), office);
      if (code === 0) await forgetOldRuns(connection);
      return code;
    } finally {
      // A lock that could not be given back (the disk is full) is one of a process that is gone.
      await unlock().catch(() => undefined);
    }
  } finally {
    // All that counts has been written by now. What is merely tidied up in here may fail on a full disk.
    await connection.close().catch(() => undefined);
    await backend.close().catch(() => undefined);
  }
}

async function openOffice(options: Options, report: Report): Promise<Office> {
  const places = new Places(options.out);
  const reserve = new Reserve(places.reserve);
  try {
    await mkdir(places.out, { recursive: true });
    const backend = reserve.behind(await persistence.fetch({ connection: 'sqlite', path: places.state }));
    const connection = await backend.getConnection();
    await connection.upgrade();
    return { options, places, reserve, backend, connection, report };
  } catch (error) {
    throw new CannotStartError(`The output folder ${places.out} cannot be used`, { cause: error });
  }
}

async function findUnfinishedOf({ options, places, connection }: Office): Promise<StoredRun | null> {
  const found = await findUnfinished(connection);
  if (found === null || found.plan.source === options.directory) return found;
  const { source, version } = found.plan;
  throw new CannotStartError(
    `Version ${version} of ${source} is unfinished in ${places.out}: publish that again to finish it, or use another --out`,
  );
}

async function begin({ options, places, reserve, backend, report }: Office): Promise<StoredRun> {
  const plan = await makePlan(options, places);
  if (options.failAt === 'compress' && plan.files.length === 0) {
    throw new CannotStartError(`${plan.source} holds no files, so that nothing can fail at compress`);
  }
  report.line(`Publishing ${printable(plan.source)} as version ${plan.version}`);
  for (const path of plan.skipped) report.line(`  skipped ${printable(path)}: neither a file nor a directory`);
  try {
    // What an earlier run that succeeded had no time left to remove.
    await rm(places.trash, { recursive: true, force: true });
    await reserve.make(plan.files.length);
    return await beginRun(backend, plan);
  } catch (error) {
    await reserve.remove();
    throw new CannotStartError(`The run could not be begun in ${places.out}`, { cause: error });
  }
}

async function perform({ flowDetail, plan }: StoredRun, office: Office): Promise<ExitCode> {
  const { options, places, reserve, backend, report } = office;
  const began = performance.now();
  const engine = await engines.load(publishFlow(plan, { places, reserve, failAt: options.failAt }), {
    flowDetail,
    backend,
    engine: 'parallel',
    maxWorkers: options.workers,
    commitRetry: { attempts: 3, delayMs: 500 },
    journal: true,
  });
  engine.compile();
  const counts = watch(engine, flowDetail);
  if (flowDetail.atoms.length > 0) {
    report.line(
      `Found version ${plan.version} of ${printable(plan.source)} unfinished: ` +
        `${counts.found} of ${counts.total} atoms finished, ${counts.inFlight} under way; ` +
        (hasFailed(flowDetail) ? 'it failed and goes on being reverted' : 'going on'),
    );
  }
  const view = progressView(engine, { stream: report.output });
  if (options.killAfter !== null) killAfterAtoms(options.killAfter, engine, counts, view);
  const interruption = suspendOnSignals(engine);
  let code: ExitCode;
  try {
    const state = await view.during(() => engine.run());
    code = state === 'SUSPENDED' ? interruption.code() : 0;
  } catch (error) {
    code = explain(error, engine, places, report);
  }
  interruption.stop();
  if (code === 0 || code === 1) await reserve.remove();
  // Nothing brings back the old versions any more.
  if (code === 0) await rm(places.trash, { recursive: true, force: true });
  const tookMs = performance.now() - began;
  const page = await savePage(engine, places.page);
  closingTable({ code, engine, counts, plan, places, page, tookMs }, report);
  await engine.close();
  return code;
}

/** Writes the inspector page of a run. @returns where it is; null when it could not be written, as on a full disk. */
async function savePage(engine: Engine, path: string): Promise<string | null> {
  try {
    await writeFile(path, await inspectorPage(engine, { showValues: true }));
    return path;
  } catch {
    await rm(path, { force: true });
    return null;
  }
}

function hasFailed({ atoms }: FlowDetail): boolean {
  return atoms.some(({ intention }) => intention === 'REVERT');
}
