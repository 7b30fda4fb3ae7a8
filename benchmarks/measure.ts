import type { Plan } from './plan.js';
import type { Counters, Outcome, Subject } from './subjects/subject.js';
import { storeFor } from './stores.js';
import { workloadNamed } from './workloads.js';
import type { Workload } from './workloads.js';

export const SUBJECTS = ['flowstate', 'flowstate-parallel', 'ceiling', 'one-insert', 'reading-rows'] as const;
/** `flowstate` is its serial engine, the default one. */
export type SubjectName = (typeof SUBJECTS)[number];

/** One run of one subject. */
export interface Job {
  readonly workload: string;
  readonly n: number;
  readonly subject: SubjectName;
  readonly seed: number;
  /** Whether the process has run a small flow of the workload before, which is not measured. */
  readonly isWarm: boolean;
  /** Where durable workloads make their files; these are removed again. */
  readonly directory: string;
  /** The URL of a database on the server that a workload needs; null: there is none. */
  readonly server: string | null;
}

export interface Cost {
  readonly wallMs: number;
  /** Of the whole process: also what the garbage collector and the compiler of JavaScript use on other threads. */
  readonly cpuMs: number;
}

export interface Measurement extends Cost {
  /** The most memory the process ever had resident, from its start to the end of the run. */
  readonly peakRssMb: number;
  /** What it had resident before the run: the platform, the subject, the plan and what was built of it. */
  readonly builtRssMb: number;
  /** What it cost to make the flow and its tasks. It is not part of the other times. */
  readonly build: Cost;
  readonly counters: Counters;
}

/** Enough for V8 to know the code and to have compiled the hottest; all subjects alike. */
const WARM_UP_TASKS = 200;

/**
 * Runs a workload once, in this process, and checks the answer.
 *
 * A process that starts cold pays for what V8 reads and compiles, which at a thousand tasks is most of the cost; what
 * the aims are held against is cold. A warm one shows what a run costs in a process that has run others.
 *
 * Measured is what it takes from a flow to its outcome: loading an engine, compiling, running. A user makes the flow
 * once and may run it many times, so this is told apart; the references make their graph inside the measured part, as
 * an engine does when it compiles.
 *
 * Stores are open before, with the packages that they need and all tables, for every subject alike: a process opens its
 * store once, and what durability costs is told by the step. A run that is taken up is the exception (W6): there opening
 * is part of both sides.
 *
 * @throws what is wrong with the answer.
 */
export async function measure(job: Job): Promise<Measurement> {
  if (job.isWarm) await measure({ ...job, n: WARM_UP_TASKS, isWarm: false });
  const workload = workloadNamed(job.workload);
  const subject = await subjectNamed(job.subject, workload);
  const plan = workload.plan(job.n, job.seed);
  const { store, remove } = await storeFor(workload.durable, job.directory, job.server);
  try {
    const building = stopwatch();
    const built = subject.build(plan);
    const build = building();
    await built.prepare?.({ store });
    // What is left of building is not to be cleared away at the expense of the run. There with --expose-gc.
    globalThis.gc?.();
    const builtRssMb = process.memoryUsage.rss() / 2 ** 20;
    const running = stopwatch();
    const outcome = await built.run({ store });
    const cost = running();
    const peakRssMb = process.resourceUsage().maxRSS / 2 ** 10;
    try {
      checkAnswer(job, plan, outcome);
    } finally {
      await outcome.close();
    }
    return { ...cost, peakRssMb, builtRssMb, build, counters: outcome.counters };
  } finally {
    await remove();
  }
}

/** Only the subject that is measured is loaded: the memory that it takes is its own. */
async function subjectNamed(name: SubjectName, { resumes = false }: Workload): Promise<Subject> {
  switch (name) {
    case 'flowstate':
      if (resumes) return (await import('./subjects/resume.js')).resume('serial');
      return (await import('./subjects/flowstate.js')).flowstate('serial');
    case 'flowstate-parallel':
      if (resumes) return (await import('./subjects/resume.js')).resume('parallel');
      return (await import('./subjects/flowstate.js')).flowstate('parallel');
    case 'ceiling':
      return (await import('./subjects/ceiling.js')).ceiling;
    case 'one-insert':
      return (await import('./subjects/one-insert.js')).oneInsert;
    case 'reading-rows':
      return (await import('./subjects/resume.js')).readingRows;
  }
}

function stopwatch(): () => Cost {
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  return () => {
    const wallMs = performance.now() - before;
    const { user, system } = process.cpuUsage(cpuBefore);
    return { wallMs, cpuMs: (user + system) / 1_000 };
  };
}

/** @throws {Error} naming what is not as planned. */
export function checkAnswer({ workload, n, subject }: Job, plan: Plan, { error, resultOf }: Outcome): void {
  const wrong = (what: string) => new Error(`${subject} has a wrong answer to ${workload} with ${n} tasks: ${what}`);
  if (plan.failure !== null) {
    if (error !== plan.failure)
      throw wrong(`it should have failed with what the last task threw, got ${String(error)}`);
    const { length } = plan.tasks;
    const inOrder = plan.reverted.every((index, at) => index === length - 1 - at);
    if (plan.reverted.length !== length || !inOrder) {
      throw wrong(`it reverted ${plan.reverted.length} of ${length} tasks${inOrder ? '' : ', in a wrong order'}`);
    }
    return;
  }
  if (error !== null) throw new Error(`${subject} failed on ${workload} with ${n} tasks`, { cause: error });
  plan.expected.forEach((expected, index) => {
    const result = resultOf(index);
    if (result !== expected) throw wrong(`t${index} gave ${String(result)} instead of ${expected}`);
  });
}
