export { Atom } from './atoms/atom.js';
export type { AtomOptions, Signature } from './atoms/atom-options.js';
export type { ArgumentList, ArgumentMapping, Rebind } from './atoms/arguments.js';
export { task } from './atoms/function-task.js';
export type { Backoff, Delay } from './atoms/delay.js';
export type { TimeLimits } from './atoms/time-limits.js';
export { mapTask, reduceTask } from './atoms/functor-tasks.js';
export { History } from './atoms/history.js';
export type { Attempt } from './atoms/history.js';
export {
  AlwaysRevert,
  alwaysRevert,
  AlwaysRevertAll,
  alwaysRevertAll,
  ForEach,
  forEach,
  ParameterizedForEach,
  parameterizedForEach,
  Times,
  times,
} from './atoms/retries.js';
export { Retry } from './atoms/retry.js';
export type { RetryDecision, RetryInput, RetryOptions, RetryRevertInput } from './atoms/retry.js';
export { Task, UPDATE_PROGRESS } from './atoms/task.js';
export { registerTask, taskFactory } from './atoms/task-registry.js';
export type { RegisteredTask, TaskClass, TaskFactory } from './atoms/task-registry.js';
export { DeclaredTask, taskClass } from './atoms/task-class.js';
export type { ClassDeclaration, InstanceOptions } from './atoms/task-class.js';
export type { AtomContext, RevertInput, TaskContext, TaskOptions } from './atoms/task.js';
export { typed, ValidationError } from './atoms/validators.js';

export { Compilation } from './compiler/compilation.js';
export type { AtomNode, FlowNode, PlanNode, RetryNode, TaskNode } from './compiler/compilation.js';
export { compile } from './compiler/compile.js';

export * as engines from './engines/engines.js';
export { Engine } from './engines/engine.js';
export type { FlowDetails } from './engines/engine.js';
export type { SuspendOptions } from './engines/suspend-options.js';
export type { AtomDetails } from './engines/atom-services.js';
export { Explanation } from './engines/explain.js';
export type { ExplainedStep, ExplainOptions } from './engines/explain.js';
export type { FactoryArguments, FactoryDetails, FlowFactory, ModuleLoader } from './engines/factories.js';
export type { LoadOptions } from './engines/load.js';
export type {
  LoadFromDetailOptions,
  LoadFromFactoryOptions,
  SaveFactoryDetailsOptions,
} from './engines/load-factory.js';
export { PlanChangedError } from './engines/plan-consent.js';
export type { OnPlanChange, PlanAnswer, PlanMigration } from './engines/plan-consent.js';
export type { PlanDifference, PlannedChange } from './engines/plan-difference.js';
export type { Statistics } from './engines/statistics.js';
export type { WaitReason, WaitsFor } from './engines/why.js';

export { systemEnvironment } from './environment.js';
export type { Clock, Environment, Timer } from './environment.js';
export {
  AmbiguousDependencyError,
  CompilationError,
  DependencyError,
  DisallowedAccessError,
  DuplicateError,
  EmptyError,
  ExecutionError,
  FlowstateError,
  IncompatibleVersionError,
  InvalidFormatError,
  InvalidStateError,
  MissingDependenciesError,
  MultipleChoicesError,
  NotFoundError,
  RequestTimeoutError,
  StaleFenceError,
  StorageConflictError,
  StorageError,
  TimeoutError,
  TransportError,
  UncrossableValueError,
  UnstorableValueError,
  UnsupportedError,
  ValueTooLargeError,
  WorkerLostError,
} from './errors.js';
export { Failure, formatError, registerErrorClass, throwFailures, WrappedFailureError } from './failure.js';
export type { FailureRecord } from './failure.js';

export { asyncExecutor } from './executors/async.js';
export { childProcessExecutor } from './executors/child-process.js';
export type { ChildProcessExecutorOptions } from './executors/child-process.js';
export { INTERRUPTED } from './executors/executor.js';
export type { Executor, Submission, Work } from './executors/executor.js';
export { serialExecutor } from './executors/serial.js';
export { transfer } from './executors/transfer.js';
export { workerThreadExecutor } from './executors/worker-threads.js';
export type { WorkerThreadExecutorOptions } from './executors/worker-threads.js';

export { WorkerExecutor } from './workers/client/worker-executor.js';
export { knownTransports, transport } from './workers/transport-registry.js';
export type { MakeTransport, TransportOptions } from './workers/transport-registry.js';
export type {
  Consumer,
  DeadLetter,
  Delivery,
  Link as TransportLink,
  Message,
  MessageProperties,
  Transport,
} from './workers/transport.js';
export type { KnownWorker } from './workers/client/finder.js';
export type { WorkerExecutorOptions } from './workers/client/options.js';
export type { WorkerExecutorStatistics } from './workers/client/statistics.js';
export type { TaskItem } from './workers/worker/allow-list.js';
export type { WorkerOptions } from './workers/worker/options.js';
export { Worker } from './workers/worker/worker.js';
export { workerMain } from './workers/worker/worker-main.js';
export type { WorkerMainOptions } from './workers/worker/worker-main.js';
export type { WorkerStatistics } from './workers/worker/desk.js';
export type { StopOptions } from './workers/worker/worker.js';

export { DEPTHS } from './flows/depth.js';
export type { Depth } from './flows/depth.js';
export { Flow } from './flows/flow.js';
export type { FlowItem, FlowOptions, Link } from './flows/flow.js';
export type { GivesOf, NeedsOf, StoreOf } from './flows/flow-types.js';
export { graph, GraphFlow, targeted, TargetedFlow } from './flows/graph.js';
export { linear, LinearFlow } from './flows/linear.js';
export type { Decider, LinkMetadata } from './flows/link.js';
export { unordered, UnorderedFlow } from './flows/unordered.js';

export { FailureFormatter } from './formatters/failure-formatter.js';
export type { FailureFormatterOptions } from './formatters/failure-formatter.js';
export { formatFlow, formatRun } from './formatters/run-text.js';
export type { FormatRunOptions } from './formatters/run-text.js';
export { printable } from './formatters/terminal-text.js';
export type { ValueTextOptions } from './formatters/value-text.js';

export type { StateActor } from './interpreter/actors.js';
export type { InspectionObserver, InspectionSubscription } from './interpreter/inspection.js';

export { CaptureListener } from './listeners/capture-listener.js';
export type { Captured, CaptureListenerOptions } from './listeners/capture-listener.js';
export { CheckingClaimListener } from './listeners/checking-claim-listener.js';
export type { CheckingClaimListenerOptions, LossHandler } from './listeners/checking-claim-listener.js';
export { DumpingListener } from './listeners/dumping-listener.js';
export type { DumpingListenerOptions } from './listeners/dumping-listener.js';
export { DurationListener, PrintingDurationListener } from './listeners/duration-listener.js';
export type { DurationListenerOptions, PrintingDurationListenerOptions } from './listeners/duration-listener.js';
export { DynamicLoggingListener } from './listeners/dynamic-logging-listener.js';
export type { DynamicLoggingListenerOptions } from './listeners/dynamic-logging-listener.js';
export { EngineListener } from './listeners/engine-listener.js';
export type { ListenerOptions, RetryNews, TaskNews } from './listeners/engine-listener.js';
export { EventTimeListener } from './listeners/event-time-listener.js';
export type { EventTimeListenerOptions } from './listeners/event-time-listener.js';
export type { Logger, LogLevel } from './listeners/logger.js';
export { LoggingListener } from './listeners/logging-listener.js';
export type { LoggingListenerOptions } from './listeners/logging-listener.js';
export { OpenTelemetryListener, openTelemetryListener } from './listeners/open-telemetry-listener.js';
export type { OpenTelemetryListenerOptions, TracingApi } from './listeners/open-telemetry-listener.js';
export { PrintingListener } from './listeners/printing-listener.js';
export type { Printer, PrintingListenerOptions } from './listeners/printing-listener.js';
export { ProgressView, progressView } from './listeners/progress-view.js';
export type { ProgressViewOptions } from './listeners/progress-view.js';
export type { TerminalStream } from './listeners/live-block.js';
export { durationsOf } from './listeners/time-left.js';

export { ANY, Notifier, RestrictedNotifier } from './notifications/notifier.js';
export type { Listener, RegistrationOptions } from './notifications/notifier.js';

export * as persistence from './persistence/persistence.js';
export type {
  Codec,
  Connection,
  FlowQuery,
  FoundFlow,
  JournalQuery,
  PersistenceBackend,
  SaveOptions,
  UnitOfWork,
} from './persistence/backend.js';
export type { EncryptingCodecOptions } from './persistence/codecs/encrypting.js';
export type { AtomDetail, AtomState, FlowDetail, LogBook, RetryDetail, TaskDetail } from './persistence/details.js';
export type { FoldOptions, JournaledRun, JournaledState } from './persistence/fold-journal.js';
export type { JournalEntity, JournalEntry } from './persistence/journal-entry.js';
export type { ExportedFlow, ExportOptions, ImportOptions, LogbookExport } from './persistence/logbook-export.js';
export type { Pruned, PruneOptions } from './persistence/logbooks.js';

export type { FormatDetailOptions } from './persistence/format-detail.js';
export type { ValueOptions } from './persistence/value-format.js';

export { Storage } from './storage/storage.js';
