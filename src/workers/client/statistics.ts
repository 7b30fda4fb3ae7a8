/** What happened to the requests of an executor that was not meant to. */
export interface WorkerExecutorStatistics {
  /** Requests that were given to another worker. */
  redispatches: number;
  /** Replies to what nobody asks any more. */
  unknownReplies: number;
  /** Replies of workers whose request is with another by now. */
  lateReplies: number;
  /** Events that the chart of requests refused. */
  illegalEvents: number;
  /** Messages that were not understood. */
  invalidMessages: number;
}

export function newWorkerStatistics(): WorkerExecutorStatistics {
  return { redispatches: 0, unknownReplies: 0, lateReplies: 0, illegalEvents: 0, invalidMessages: 0 };
}
