import type { FlowState } from '../../machines/index.js';
import type { Engine, FlowDetails } from '../engines/engine.js';
import { Failure } from '../failure.js';
import type { FailureFormatterOptions } from '../formatters/failure-formatter.js';
import { FailureFormatter } from '../formatters/failure-formatter.js';
import { valueText } from '../formatters/value-text.js';
import type { AtomState } from '../persistence/details.js';
import { isShowable } from './dumping-listener.js';
import type { ListenerOptions, TaskNews } from './engine-listener.js';
import { EngineListener, FINISHED } from './engine-listener.js';
import type { LogLevel } from './logger.js';
import { checkLevel, isEnabledFor, log } from './logger.js';

export interface DynamicLoggingListenerOptions extends ListenerOptions, FailureFormatterOptions {
  /** For failures, and for what was reverted. @default 'warn' */
  readonly failureLevel?: LogLevel | undefined;
  /** For everything else. @default 'debug' */
  readonly level?: LogLevel | undefined;
  /** Says what there is to say beside an error. @default a `FailureFormatter` with the same options */
  readonly failFormatter?: Pick<FailureFormatter, 'format'> | undefined;
}

const FAILED_FLOWS: ReadonlySet<FlowState> = new Set<FlowState>(['FAILURE', 'REVERTED']);
const FAILED_ATOMS: ReadonlySet<AtomState> = new Set<AtomState>(['FAILURE', 'REVERTED', 'RETRYING', 'REVERT_FAILURE']);

/**
 * Logs what becomes of the flow and of its tasks: what went wrong at one level, with its place in the flow, and
 * everything else at another. Retries are not logged.
 *
 * @see TaskFlow `listeners/logging.py`, `DynamicLoggingListener`.
 */
export class DynamicLoggingListener extends EngineListener {
  readonly #level: LogLevel;
  readonly #failureLevel: LogLevel;
  readonly #formatter: Pick<FailureFormatter, 'format'>;
  readonly #hidden: ReadonlySet<string>;
  readonly #options: DynamicLoggingListenerOptions;

  constructor(engine: Engine, options: DynamicLoggingListenerOptions = {}) {
    super(engine, options);
    this.#options = options;
    this.#level = checkLevel('level', options.level ?? 'debug');
    this.#failureLevel = checkLevel('failureLevel', options.failureLevel ?? 'warn');
    this.#formatter = options.failFormatter ?? new FailureFormatter(engine, options);
    this.#hidden = new Set(options.hideInputsOutputsOf);
  }

  protected override onFlow(state: FlowState, { flowName, flowUuid, oldState }: FlowDetails): void {
    const level = FAILED_FLOWS.has(state) ? this.#failureLevel : this.#level;
    log(this.logger, level, `Flow '${flowName}' (${flowUuid}) transitioned into state ${state} from state ${oldState}`);
  }

  protected override onTask(state: AtomState, details: TaskNews): void {
    const { taskName, taskUuid, oldState, result } = details;
    const text = `Task '${taskName}' (${taskUuid}) transitioned into state ${state} from state ${oldState}`;
    if (FINISHED.has(state) && result instanceof Failure) {
      const about = this.#formatter.format(result, ({ name }) => name === taskName);
      const stack = result.isLive ? [result.stack ?? result.toString()] : [];
      log(this.logger, this.#failureLevel, [text, ...(about === '' ? [] : [about]), ...stack].join('\n'));
      return;
    }
    const level = FAILED_ATOMS.has(state) ? this.#failureLevel : this.#level;
    const isShown =
      FINISHED.has(state) &&
      isShowable(details) &&
      !this.#hidden.has(taskName) &&
      (state === 'FAILURE' || isEnabledFor(this.logger, this.#level));
    const { maskOutputsKeys: maskKeys, maxLength } = this.#options;
    log(this.logger, level, isShown ? `${text} with result ${valueText(result, { maskKeys, maxLength })}` : text);
  }
}
