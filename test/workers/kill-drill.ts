import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { persistence } from '../../src/index.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import type { Broker } from './fault-world.js';
import { FaultWorld } from './fault-world.js';
import type { Step } from './programs/steps.js';
import type { WorkerProcess } from './worker-process.js';

const WORKERS = 2;
const STEPS = 12;
/** How many of a hundred kills are of the engine. */
const ENGINE_PERCENT = 30;
const LONGEST_PAUSE_MS = 400;
/** How long a step takes on each side of its effect, so that many are hit. */
const LINGER_MS = 40;

export interface KillDrillOptions {
  readonly compiled: CompiledSources;
  readonly broker: Broker;
  /** Kills in all. A flow that ends before is followed by another. */
  readonly kills: number;
  readonly random: () => number;
}

/** What was counted, and what was wrong. */
export interface KillReport {
  flows: number;
  workerKills: number;
  engineKills: number;
  /** Effects of steps, those that were done again included. */
  effects: number;
  /** Of these, done again because nobody knew of them. */
  repeated: number;
  readonly problems: string[];
}

/** Kills workers and engines at random while they run flows, until each flow has come to its end. */
export async function killDrill(options: KillDrillOptions): Promise<KillReport> {
  const report: KillReport = { flows: 0, workerKills: 0, engineKills: 0, effects: 0, repeated: 0, problems: [] };
  while (report.workerKills + report.engineKills < options.kills && report.problems.length === 0) {
    const world = new FaultWorld(options.compiled, options.broker);
    try {
      await new KilledFlow(world, options, report).toEnd();
    } catch (error) {
      report.problems.push(String(error));
    } finally {
      await world.close();
    }
    report.flows += 1;
  }
  return report;
}

class KilledFlow {
  readonly #workers: WorkerProcess[] = [];
  readonly #steps: Step[];

  constructor(
    private readonly world: FaultWorld,
    private readonly options: KillDrillOptions,
    private readonly report: KillReport,
  ) {
    const names = Array.from({ length: STEPS }, (_, at) => `s${at}`);
    this.#steps = names.map((name) => ({ name, ledger: world.ledger, lingerMs: LINGER_MS }));
  }

  async toEnd(): Promise<void> {
    for (let at = 0; at < WORKERS; at++) await this.#hire();
    for (;;) {
      const engine = this.world.engineProcess(this.#steps);
      const life = lifeOf(engine.ended);
      while (!life.isOver()) {
        await this.#pause(engine.ended);
        if (life.isOver() || !this.#mayKill) {
          await engine.ended;
          break;
        }
        if (this.#dice(100) < ENGINE_PERCENT) {
          this.report.engineKills += 1;
          await engine.kill();
          break;
        }
        this.report.workerKills += 1;
        await this.#killWorker();
      }
      const told = await engine.ended;
      if (told === 'gone') continue;
      this.#check(told);
      await this.#checkStored();
      return;
    }
  }

  get #mayKill(): boolean {
    return this.report.workerKills + this.report.engineKills < this.options.kills;
  }

  /** A worker that is killed is followed by another. */
  async #killWorker(): Promise<void> {
    const at = this.#dice(this.#workers.length);
    const [worker] = this.#workers.splice(at, 1);
    worker?.kill('SIGKILL');
    await worker?.ended;
    await this.#hire();
  }

  async #hire(): Promise<void> {
    this.#workers.push(await this.world.worker());
  }

  #dice(sides: number): number {
    return Math.floor(this.options.random() * sides);
  }

  #pause(ended: Promise<unknown>): Promise<unknown> {
    const ms = this.#dice(LONGEST_PAUSE_MS);
    return Promise.race([ended, new Promise((resolve) => setTimeout(resolve, ms))]);
  }

  #check(told: unknown): void {
    const { report, world } = this;
    const results = Object.fromEntries(this.#steps.map(({ name }) => [name, name]));
    const expected = JSON.stringify({ state: 'SUCCESS', results });
    if (JSON.stringify(told) !== expected) report.problems.push(`A flow ended with ${JSON.stringify(told)}`);
    const effects = world.lines.filter((line) => line.startsWith('effect '));
    const different = new Set(effects);
    report.effects += effects.length;
    report.repeated += effects.length - different.size;
    if (different.size !== STEPS)
      report.problems.push(`${different.size} of ${STEPS} steps had their effect under one key`);
    if (world.count('undo') > 0) report.problems.push('Something was undone');
  }

  /** Each atom became SUCCESS in one commit, and stayed so. */
  async #checkStored(): Promise<void> {
    const backend = await persistence.fetch(`sqlite:${join(this.world.folder, 'runs.db')}`);
    const connection = await backend.getConnection();
    const [found] = await connection.findFlowDetails();
    const atoms = found === undefined ? [] : await connection.getAtomsForFlow(found.flow.uuid);
    for (const { name } of this.#steps) {
      const atom = atoms.find((each) => each.name === name);
      if (atom?.state !== 'SUCCESS' || atom.results !== name)
        this.report.problems.push(`${name} is not stored as it should be`);
    }
    const commits = readFileSync(this.world.commits, 'utf8').split('\n').filter(Boolean);
    const twice = commits.filter((line, at) => commits.indexOf(line) !== at);
    if (twice.length > 0) this.report.problems.push(`Committed twice: ${twice.join(', ')}`);
    await connection.close();
    await backend.close();
  }
}

function lifeOf(ended: Promise<unknown>): { readonly isOver: () => boolean } {
  let isOver = false;
  void ended.then(() => (isOver = true));
  return { isOver: () => isOver };
}
