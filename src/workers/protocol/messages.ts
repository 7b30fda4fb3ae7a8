import { z } from 'zod';
import { LONGEST_NAME, PROTOCOL_VERSION } from './version.js';

/*
 * What engines and workers tell each other. Version 2: version 1 is TaskFlow's, of which the two forms of NOTIFY are
 * still understood. The JSON Schemas in `schemas/` are made from these.
 *
 * Values that JSON has no words for (arguments, results, details of events) travel as text, see `values.ts`.
 */

const version = z.literal(PROTOCOL_VERSION);
const name = z.string().min(1).max(LONGEST_NAME);
const count = z.int().min(0);
const positive = z.int().min(1);

/** A failure of an atom as it is kept and sent: see `Failure.toRecord`. */
const failureSchema = z
  .object({
    version: z.literal(1),
    typeNames: z.array(z.string()).min(1),
    message: z.string(),
    stack: z.string().nullable(),
    code: z.union([z.string(), z.number()]).optional(),
    properties: z.record(z.string(), z.json()).optional(),
    get causes() {
      return z.array(failureSchema).optional();
    },
    get errors() {
      return z.array(failureSchema).optional();
    },
  })
  .meta({ id: 'failure' });

/** Which of all requests: one attempt of one method of one atom, and how often it was given out. */
const requestKey = {
  /** The same for each execution of one attempt, whoever asks for it. */
  requestId: name,
  /** Made anew by each engine that asks for the attempt. */
  submission: name,
  /** How often this submission was given to a worker, this time included. */
  dispatch: positive,
};

/** Asks for one method of one task. */
const requestSchema = z.object({
  version,
  ...requestKey,
  /** Whether an earlier process may have asked for it: then whoever knows it goes on with it, or tells its end again. */
  takesUp: z.boolean(),
  runId: name,
  atomId: name,
  /** Name of the atom in its flow. */
  atom: z.string().max(LONGEST_NAME),
  action: z.enum(['execute', 'revert']),
  /** How often the flow around the atom was begun, this time included. */
  attempt: positive,
  task: z.object({ name, version: z.string().max(LONGEST_NAME), parameters: z.string() }),
  arguments: z.object({
    values: z.string(),
    failures: z.record(z.string(), failureSchema).optional(),
    failureMaps: z.record(z.string(), z.array(z.tuple([z.string(), failureSchema]))).optional(),
  }),
  idempotencyKey: z.string(),
  /** The events that somebody listens to; `*` stands for all but progress. */
  events: z.array(z.string()),
  /** How often it may be given to a worker altogether. */
  maxDeliveries: positive,
  /** The only worker that serves the topic, where it is signed: that one need not ask whether it may run it. */
  sole: z.object({ workerId: name, startedAt: count }).optional(),
});

const reply = {
  version,
  ...requestKey,
  workerId: name,
  /** How often the broker gave out this dispatch, the time that is answered included. */
  delivery: positive,
  /** Counts what this worker says of this dispatch, so that nothing counts twice. */
  number: count,
};

/** What a worker says of a request. WAITING: it gives it back, as no engine said whether it may be run. */
const responseSchema = z.discriminatedUnion('state', [
  z.object({ ...reply, state: z.literal('WAITING'), data: z.strictObject({}) }),
  z.object({ ...reply, state: z.literal('RUNNING'), data: z.strictObject({}) }),
  z.object({
    ...reply,
    state: z.literal('EVENT'),
    data: z.strictObject({ event_type: z.string(), details: z.string() }),
  }),
  z.object({ ...reply, state: z.literal('SUCCESS'), data: z.strictObject({ result: z.string() }) }),
  z.object({ ...reply, state: z.literal('FAILURE'), data: z.strictObject({ failure: failureSchema }) }),
]);

/** Says that a worker lives, and which requests it runs. */
const heartbeatSchema = z.object({
  version,
  workerId: name,
  /** Greater with each beat of a worker. */
  beat: count,
  requests: z.array(z.object(requestKey)),
});

/** Asks the workers who they are. */
const notifyAskSchema = z.union([z.object({ version }), z.strictObject({})]);

const listingSchema = z.object({ name, versions: z.array(z.string().nullable()) });

/** A worker says who it is. The second form is version 1: it is known by its topic, and takes any version. */
const notifySchema = z.union([
  z.object({
    version,
    topic: name,
    tasks: z.array(listingSchema),
    workerId: name,
    /** How many tasks it runs at once. */
    capacity: positive,
    inFlight: count,
    /** Milliseconds since 1970, by the worker's clock. */
    startedAt: count,
    /** Greater with each notice of a worker. */
    number: count,
    /** Milliseconds until the next notice, at most: a worker that lets three pass may have stopped. */
    everyMs: z.number().positive().optional(),
  }),
  z.strictObject({ topic: name, tasks: z.array(z.string()) }),
]);

/** A worker takes no more requests. */
const byeSchema = z.object({ version, workerId: name, topic: name });

/** An engine wants no result any more. */
const cancelSchema = z.object({ version, requestId: name, submission: name, reason: failureSchema });

/** An engine that took up a run asks who has these requests. */
const adoptSchema = z.object({ version, requestIds: z.array(name) });

/** A worker has a signed request, and asks whether it may run it: somebody may have recorded it, and sent it again. */
const claimSchema = z.object({
  version,
  ...requestKey,
  workerId: name,
  /** How often the broker gave out this dispatch, this time included. */
  delivery: positive,
  /** Made anew for each delivery. */
  claim: name,
});

/** An engine says whether a claim holds. */
const grantSchema = z.object({
  version,
  claim: name,
  /** Why it is not to be run; null: it is. */
  refusal: z.string().nullable(),
});

/** All bodies, by the type of their message. NOTIFY has two, by the direction. */
export const SCHEMAS = {
  REQUEST: requestSchema,
  RESPONSE: responseSchema,
  HEARTBEAT: heartbeatSchema,
  ASK: notifyAskSchema,
  NOTIFY: notifySchema,
  BYE: byeSchema,
  CANCEL: cancelSchema,
  ADOPT: adoptSchema,
  CLAIM: claimSchema,
  GRANT: grantSchema,
} as const;

export type BodyType = keyof typeof SCHEMAS;
export type Body<Type extends BodyType> = z.infer<(typeof SCHEMAS)[Type]>;

export type RequestBody = Body<'REQUEST'>;
export type ResponseBody = Body<'RESPONSE'>;
export type RequestKey = Pick<RequestBody, 'requestId' | 'submission' | 'dispatch'>;

/** A message with its body read. */
export type Envelope = {
  [Type in BodyType]: { readonly type: Type; readonly body: Body<Type>; readonly replyTo: string | undefined };
}[BodyType];
