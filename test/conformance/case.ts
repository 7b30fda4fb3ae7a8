import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/*
 * One case of the conformance format, and whether some data is one. `case.schema.json` says the same as
 * JSON Schema; a test compares the two on every case.
 */

const names = z.array(z.string());
const values = z.record(z.string(), z.unknown());

const atomState = z.enum([
  'PENDING',
  'RUNNING',
  'SUCCESS',
  'FAILURE',
  'REVERTING',
  'REVERTED',
  'REVERT_FAILURE',
  'RETRYING',
  'IGNORE',
]);
const flowState = z.enum([
  'PENDING',
  'RUNNING',
  'SUCCESS',
  'FAILURE',
  'REVERTED',
  'SUSPENDING',
  'SUSPENDED',
  'RESUMING',
]);
const engineState = z.enum(['RESUMING', 'SCHEDULING', 'WAITING', 'ANALYZING', 'SUCCESS', 'REVERTED', 'SUSPENDED']);
const intention = z.enum(['EXECUTE', 'REVERT', 'RETRY', 'IGNORE']);

const errorSpec = z.strictObject({
  type: z.enum(['RuntimeError', 'ValueError', 'ArithmeticError', 'LookupError']),
  message: z.string(),
});

const behaviour = z
  .strictObject({
    progress: z.array(z.number()).optional(),
    suspend: z.literal(true).optional(),
    raiseUnlessEqual: z.tuple([z.string(), z.string()]).optional(),
    raiseIfArg: z.strictObject({ arg: z.string(), in: z.array(z.unknown()) }).optional(),
    error: errorSpec.optional(),
    raise: errorSpec.optional(),
    returnArgs: z.literal(true).optional(),
    sumArgs: z.number().optional(),
    returnAttempt: z.literal(true).optional(),
    returnArg: z.string().optional(),
    return: z.unknown().optional(),
  })
  .refine((it) => it.error !== undefined || (it.raiseUnlessEqual === undefined && it.raiseIfArg === undefined), {
    error: 'raiseUnlessEqual and raiseIfArg need error',
  });

const rebind = z.union([z.record(z.string(), z.string()), names]);
const provides = z.union([z.string(), z.null(), names, z.strictObject({ keys: names })]);

const decider = z.union([
  z.strictObject({ kind: z.literal('const'), value: z.boolean() }),
  z.strictObject({ kind: z.literal('equals'), from: z.string(), value: z.unknown() }),
  z.strictObject({ kind: z.literal('has'), from: z.string() }),
  z.strictObject({ kind: z.literal('sumEquals'), value: z.number() }),
  z.strictObject({ kind: z.literal('sequence'), values: z.array(z.boolean()).min(1) }),
  z.strictObject({ kind: z.literal('raise'), type: z.string(), message: z.string() }),
]);

const link = z.strictObject({
  from: z.string(),
  to: z.string(),
  decider: decider.optional(),
  deciderDepth: z.string().optional(),
});

const retry = z.strictObject({
  kind: z.enum(['AlwaysRevert', 'AlwaysRevertAll', 'Times', 'ForEach', 'ParameterizedForEach', 'Scripted']),
  name: z.string().optional(),
  attempts: z.int().min(0).optional(),
  values: z.array(z.unknown()).optional(),
  revertAll: z.boolean().optional(),
  provides: provides.optional(),
  requires: names.optional(),
  rebind: rebind.optional(),
  priority: z.number().optional(),
  execute: z.array(behaviour).optional(),
  revert: z.array(behaviour).optional(),
  decisions: z.array(z.union([z.string(), z.strictObject({ raise: errorSpec })])).optional(),
});

const task = z.strictObject({
  type: z.literal('task'),
  name: z.string(),
  args: names.optional(),
  optionalArgs: values.optional(),
  requires: names.optional(),
  rebind: rebind.optional(),
  acceptsExtra: z.boolean().optional(),
  autoExtract: z.boolean().optional(),
  inject: values.optional(),
  provides: provides.optional(),
  revertArgs: names.optional(),
  revertOptionalArgs: values.optional(),
  revertRequires: names.optional(),
  revertRebind: rebind.optional(),
  priority: z.number().optional(),
  watchProgress: z.boolean().optional(),
  execute: z.array(behaviour).optional(),
  revert: z.array(behaviour).optional(),
  resolveRequires: z.boolean().optional(),
  resolveExisting: z.boolean().optional(),
});

const ref = z.strictObject({ type: z.literal('ref'), ref: z.string(), name: z.string().optional() });

export interface FlowNode {
  readonly type: 'flow';
  readonly pattern: 'linear' | 'unordered' | 'graph' | 'targeted';
  readonly name: string;
  readonly retry?: RetryNode | undefined;
  readonly children: readonly CaseNode[];
  readonly links?: readonly LinkSpec[] | undefined;
  readonly target?: string | undefined;
  readonly addSeparately?: boolean | undefined;
  readonly resolveRequires?: boolean | undefined;
  readonly resolveExisting?: boolean | undefined;
}
export type TaskNode = z.infer<typeof task>;
export type RefNode = z.infer<typeof ref>;
export type RetryNode = z.infer<typeof retry>;
export type CaseNode = TaskNode | FlowNode | RefNode;
export type LinkSpec = z.infer<typeof link>;
export type DeciderSpec = z.infer<typeof decider>;
export type Behaviour = z.infer<typeof behaviour>;

const node: z.ZodType<CaseNode> = z.lazy(() => z.discriminatedUnion('type', [task, flow, ref]));

const flow = z.strictObject({
  type: z.literal('flow'),
  pattern: z.enum(['linear', 'unordered', 'graph', 'targeted']),
  name: z.string(),
  retry: retry.optional(),
  children: z.array(node),
  links: z.array(link).optional(),
  target: z.string().optional(),
  addSeparately: z.boolean().optional(),
  resolveRequires: z.boolean().optional(),
  resolveExisting: z.boolean().optional(),
});

const seedOp = z.strictObject({
  op: z.enum(['setFlowState', 'setState', 'setIntention', 'save', 'saveRetryFailure']),
  name: z.string().optional(),
  state: z.union([atomState, flowState]).optional(),
  intention: intention.optional(),
  result: z.unknown().optional(),
  failure: errorSpec.optional(),
  retry: z.string().optional(),
  atom: z.string().optional(),
});

const onEvent = z.strictObject({
  event: z.enum(['flow', 'task', 'retry']),
  name: z.string().optional(),
  state: z.union([atomState, flowState]),
  nth: z.int().min(1).optional(),
});

const atState = z.strictObject({ state: engineState, nth: z.int().min(1).optional() });

const run = z
  .strictObject({
    engine: z.literal('new').optional(),
    flow: node.optional(),
    inject: values.optional(),
    reset: z.literal(true).optional(),
    suspendOn: onEvent.optional(),
    suspendAt: atState.optional(),
    crashOn: onEvent.optional(),
    crashAt: atState.optional(),
  })
  .refine((it) => it.flow === undefined || it.engine !== undefined, { error: 'flow needs engine' });

const failureBody = z.strictObject({ type: z.string(), message: z.string().optional() });
const failure = z.strictObject({ failure: failureBody });
const failures = z.record(z.string(), failure);
const attempts = z.array(z.strictObject({ provided: z.unknown(), failures }));

const raised = z.strictObject({
  type: z.string().optional(),
  message: z.string().optional(),
  failures: z.array(failureBody).optional(),
  missing: names.optional(),
});

const end = z.union([
  z.strictObject({ ok: z.literal(true) }),
  z.strictObject({ crashed: z.literal(true) }),
  z.strictObject({ raised }),
]);

const traceEntry = z.union([
  z.strictObject({ event: z.literal('flow'), name: z.string(), old: flowState, new: flowState }),
  z.strictObject({
    event: z.enum(['task', 'retry']),
    name: z.string(),
    old: atomState,
    new: atomState,
    result: z.unknown().optional(),
  }),
  z.strictObject({
    call: z.enum(['execute', 'revert']),
    scope: z.enum(['task', 'retry']),
    name: z.string(),
    args: values.optional(),
  }),
  z.strictObject({
    call: z.literal('on_failure'),
    scope: z.literal('retry'),
    name: z.string(),
    args: values,
    returned: z.union([z.string(), z.null()]),
  }),
  z.strictObject({
    call: z.literal('decide'),
    scope: z.literal('link'),
    from: z.string(),
    to: z.string(),
    history: values,
    returned: z.union([z.boolean(), z.null()]),
  }),
  z.strictObject({ progress: z.number(), name: z.string() }),
  z.strictObject({ engine: engineState }),
]);

const atom = z.strictObject({
  kind: z.enum(['task', 'retry']),
  state: atomState,
  intention: intention.optional(),
  failure: z.union([z.null(), failure]).optional(),
  revertResult: z.unknown().optional(),
  revertFailure: z.union([z.null(), failure]).optional(),
  result: z.unknown().optional(),
  progress: z.union([z.number(), z.null()]).optional(),
  history: attempts.optional(),
});

const runResult = z.strictObject({
  end,
  trace: z.array(traceEntry).optional(),
  flowState,
  atoms: z.record(z.string(), atom),
  fetchAll: values.optional(),
  executeFailures: failures.optional(),
  revertFailures: failures.optional(),
});

const mapping = z.strictObject({
  execute: z.record(z.string(), z.string()),
  executeOptional: names,
  revert: z.record(z.string(), z.string()),
  revertOptional: names,
  requires: names,
  saves: z.record(z.string(), z.union([z.int(), z.string(), z.null()])),
});

const compiled = z.union([
  z.strictObject({ raised }),
  z.strictObject({
    nodes: z.array(z.tuple([z.string().regex(/^(task|retry|flow|end):/), z.union([z.string(), z.null()])])),
    successors: z.record(z.string(), names),
    predecessors: z.record(z.string(), names),
    scopes: z.record(z.string(), z.array(names)),
    mapping: z.record(z.string(), mapping),
  }),
]);

const expected = z.strictObject({
  build: z.union([z.strictObject({ ok: z.literal(true) }), z.strictObject({ raised })]),
  runs: z.array(runResult).optional(),
  compiled: compiled.optional(),
  symbols: z.record(z.string(), z.strictObject({ requires: names, provides: names })).optional(),
});

const caseSchema = z.strictObject({
  name: z.string().min(1),
  group: z.string().min(1),
  origin: z.string().regex(/^(upstream |own$|random seed \d+$|decision D\d+$)/),
  notes: z.string().optional(),
  features: names,
  pins: z.array(z.string().regex(/^D\d+$/)),
  orderSensitivity: z.enum(['none', 'trace', 'failures', 'outcome']),
  threadsAgree: z.boolean(),
  flow: node,
  store: values.optional(),
  engine: z.strictObject({
    deferReverts: z.boolean(),
    neverResolve: z.boolean().optional(),
    injectTransient: z.boolean().optional(),
  }),
  seed: z.array(seedOp).optional(),
  runs: z.array(run),
  expected,
});

export type ConformanceCase = z.infer<typeof caseSchema>;
export type Run = z.infer<typeof run>;
export type SeedOp = z.infer<typeof seedOp>;
export type OnEvent = z.infer<typeof onEvent>;
export type AtState = z.infer<typeof atState>;
export type Expected = z.infer<typeof expected>;

/** Why something cannot be run as a case. */
export class MalformedCaseError extends Error {
  override readonly name = 'MalformedCaseError';
}

/** One entry of a case file: its title, and the case or what is wrong with it. */
export type Entry = { readonly title: string } & ({ readonly test: ConformanceCase } | { readonly problem: string });

function isCase(data: unknown): data is ConformanceCase {
  return caseSchema.safeParse(data).success;
}

/**
 * Tells whether data is a case. The data itself is handed on, not zod's copy of it, which would lose a key
 * such as `__proto__`.
 *
 * @throws {MalformedCaseError} naming the first place that is wrong.
 */
export function parseCase(data: unknown): ConformanceCase {
  if (isCase(data)) return data;
  const issue = caseSchema.safeParse(data).error?.issues[0];
  throw new MalformedCaseError(`not a case: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`);
}

/** @throws when it is no state of a flow. */
export function readFlowState(value: unknown): z.infer<typeof flowState> {
  return flowState.parse(value);
}

/** @throws when it is no state of an atom. */
export function readAtomState(value: unknown): z.infer<typeof atomState> {
  return atomState.parse(value);
}

/** `group/name`, also for what is not quite a case. */
function titleOf(data: unknown, fallback: string): string {
  if (typeof data !== 'object' || data === null) return fallback;
  const group: unknown = Object.hasOwn(data, 'group') ? Reflect.get(data, 'group') : undefined;
  const name: unknown = Object.hasOwn(data, 'name') ? Reflect.get(data, 'name') : undefined;
  return typeof group === 'string' && typeof name === 'string' ? `${group}/${name}` : fallback;
}

/**
 * The entries of one case file. A file that cannot be read, that is not JSON, or that is not an array is one
 * entry with a problem; so is each malformed case.
 */
function readCaseFile(path: string, label: string): Entry[] {
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return [{ title: label, problem: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }];
  }
  if (!Array.isArray(data)) return [{ title: label, problem: 'not an array of cases' }];
  return data.map((item: unknown, index): Entry => {
    const title = titleOf(item, `${label}[${index}]`);
    try {
      return { title, test: parseCase(item) };
    } catch (error) {
      return { title, problem: error instanceof Error ? error.message : String(error) };
    }
  });
}

/** The cases of all files of a directory, by file name. What cannot be read is an entry with a problem, too. */
export function readCaseDirectory(directory: string): Entry[] {
  let files: string[];
  try {
    files = readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch (error) {
    return [{ title: directory, problem: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }];
  }
  return refuseDuplicates(files.sort().flatMap((file) => readCaseFile(join(directory, file), file)));
}

/** Gives all but the first of the entries with one title a problem: a title names one case. */
function refuseDuplicates(entries: readonly Entry[]): Entry[] {
  const seen = new Set<string>();
  return entries.map((entry) => {
    if (!seen.has(entry.title)) {
      seen.add(entry.title);
      return entry;
    }
    return 'problem' in entry ? entry : { title: entry.title, problem: 'another case has the same group and name' };
  });
}
