import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { persistence } from '../../src/index.js';
import type { AtomDetail, PersistenceBackend } from '../../src/index.js';
import { newFolder, removeFolder } from '../servers/processes.js';
import type { Target } from './targets.js';

/** Tasks of the program, beside its retry and what it is given. */
const TASKS = 199;
/** One life in so many ends while it starts: before it has read what there is. */
const STARTS = 5;
const LONGEST_START_MS = 600;
const MOST_LINES = 24;
const LONGEST_LINGERING_MS = 12;

export interface DrillOptions {
  readonly target: Target;
  /** The compiled program. */
  readonly program: string;
  /** Kills in all. A run that ends before is followed by another; after them the last one is left to end. */
  readonly kills: number;
  readonly random: () => number;
}

/** What was counted, and what was wrong. */
export interface Report {
  runs: number;
  kills: number;
  /** Of these, while the process started. */
  killedAtStart: number;
  /** Deaths of the server alone, which the process survives, unless it was just asked for what there is. */
  serverDeaths: number;
  /** Deaths of server and process together. */
  commonDeaths: number;
  executed: number;
  /** Of these, of atoms that had been executed before, but whose results were not committed. */
  repeated: number;
  readonly problems: string[];
}

/** Kills a process again and again while it runs two hundred atoms, until it has come to its end. */
export async function drill(options: DrillOptions): Promise<Report> {
  const { target, kills } = options;
  const report: Report = {
    ...{ runs: 0, kills: 0, killedAtStart: 0, serverDeaths: 0, commonDeaths: 0, executed: 0, repeated: 0 },
    problems: [],
  };
  while (report.kills < kills && report.problems.length === 0) {
    const folder = newFolder('kills');
    const store = await target.open(folder);
    const run = new KilledRun(report, { ...options, store: store.url, ledger: join(folder, 'ledger') });
    try {
      await run.toEnd();
    } finally {
      await run.close();
      await store.remove();
      removeFolder(folder);
    }
    report.runs += 1;
  }
  return report;
}

interface RunOptions extends DrillOptions {
  readonly store: string;
  readonly ledger: string;
}

class KilledRun {
  readonly #report: Report;
  readonly #options: RunOptions;
  #backend: PersistenceBackend | null = null;
  #before = new Map<string, AtomDetail>();

  constructor(report: Report, options: RunOptions) {
    this.#report = report;
    this.#options = options;
  }

  async toEnd(): Promise<void> {
    for (let isOver = false; !isOver && this.#report.problems.length === 0;) {
      const linesBefore = this.#lines().length;
      isOver = await this.#live();
      await this.#options.target.ensureUp();
      const stored = await this.#stored();
      this.#checkLife(this.#lines().slice(linesBefore), stored);
      this.#before = stored;
    }
    this.#checkEnd();
  }

  async close(): Promise<void> {
    await this.#backend?.close();
  }

  /** One life of the process. @returns whether it came to its end. */
  async #live(): Promise<boolean> {
    const { program, store, ledger, random, target, kills } = this.#options;
    const child = spawn(process.execPath, [program, store, ledger], { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    let isAtStart = random() * STARTS < 1;
    let serverDied = false;
    while (this.#report.kills < kills && isAlive(child)) {
      const death = target.nextDeath(random);
      const due = isAtStart
        ? after(random() * LONGEST_START_MS)
        : this.#grown(child, 1 + Math.floor(random() * MOST_LINES));
      await Promise.race([due.then(() => after(random() * LONGEST_LINGERING_MS)), ended]);
      if (!isAlive(child)) break;
      if (death !== 'server') child.kill('SIGKILL');
      if (death !== 'process') {
        serverDied = true;
        this.#report[death === 'server' ? 'serverDeaths' : 'commonDeaths'] += 1;
        await target.crash();
        await target.ensureUp();
      }
      if (death !== 'server') {
        this.#report.kills += 1;
        if (isAtStart) this.#report.killedAtStart += 1;
        break;
      }
      isAtStart = false;
    }
    const [code, signal] = await ended;
    if (signal === 'SIGKILL') return false;
    if (code === 0) return true;
    // Where the server died while it was asked for what there is, an error is the right answer.
    if (!serverDied || !complaints.includes('StorageError')) this.#report.problems.push(`it failed: ${complaints}`);
    return false;
  }

  /** Waits until the ledger has so many more lines. */
  async #grown(child: ChildProcess, more: number): Promise<void> {
    const { ledger } = this.#options;
    const enough = this.#lines().length + more;
    await new Promise<void>((resolve) => {
      const watcher = watch(join(ledger, '..'), () => {
        if (this.#lines().length >= enough) end();
      });
      const end = () => {
        watcher.close();
        resolve();
      };
      child.once('exit', end);
    });
  }

  #lines(): string[] {
    const { ledger } = this.#options;
    return existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n').filter(Boolean) : [];
  }

  async #stored(): Promise<Map<string, AtomDetail>> {
    this.#backend ??= await persistence.fetch(this.#options.store);
    const connection = await this.#backend.getConnection();
    await connection.upgrade();
    const [found] = await connection.findFlowDetails();
    const atoms = found === undefined ? [] : await connection.getAtomsForFlow(found.flow.uuid);
    return new Map(atoms.map((atom) => [atom.name, atom]));
  }

  #checkLife(lines: readonly string[], stored: ReadonlyMap<string, AtomDetail>): void {
    const { problems } = this.#report;
    for (const name of namesIn('begin', lines)) {
      if (this.#before.get(name)?.state === 'SUCCESS') problems.push(`${name} was finished, and was executed again`);
    }
    for (const [name, before] of this.#before) {
      const now = stored.get(name);
      if (now === undefined) problems.push(`${name} is lost`);
      else if (rankOf(now) < rankOf(before)) problems.push(`${name} went from ${before.state} to ${now.state}`);
      else if (before.state === 'SUCCESS' && JSON.stringify(now.results) !== JSON.stringify(before.results))
        problems.push(`${name} has another result than it had`);
    }
    for (const { name, state } of stored.values()) {
      if (rankOf({ state }) < 0) problems.push(`${name} is ${state}`);
    }
  }

  #checkEnd(): void {
    const { problems } = this.#report;
    if (problems.length > 0) return;
    const lines = this.#lines();
    const begun = namesIn('begin', lines);
    const different = new Set(begun);
    this.#report.executed += begun.length;
    this.#report.repeated += begun.length - different.size;
    if (different.size !== TASKS) problems.push(`${different.size} of ${TASKS} tasks were executed`);
    // Killed between its end and its exit, it finds that all is done.
    const ends = new Set(namesIn('ran', lines));
    if ([...ends].join() !== 'SUCCESS') problems.push(`it ended with ${[...ends].join()}`);
    const keys = new Set(lines.filter((line) => line.startsWith('begin ')));
    if (keys.size !== TASKS) problems.push('a task had several idempotency keys');
    for (const name of different) {
      const atom = this.#before.get(name);
      const number = Number(name.slice(1));
      if (atom?.state !== 'SUCCESS' || atom.results !== number) problems.push(`${name} is not there, or not as it was`);
    }
  }
}

const isAlive = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

function namesIn(word: string, lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.split(' ')[1] ?? '');
}

/** Nothing fails in this flow: each state can only be followed by the later ones. */
const STATES: readonly unknown[] = ['PENDING', 'RUNNING', 'SUCCESS'];
const rankOf = ({ state }: Pick<AtomDetail, 'state'>) => STATES.indexOf(state ?? 'PENDING');

const after = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));
