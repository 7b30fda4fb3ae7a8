import type { FlowState } from '../../machines/index.js';
import type { FlowDetails } from '../engines/engine.js';
import { Failure } from '../failure.js';
import type { ValueTextOptions } from '../formatters/value-text.js';
import { valueText } from '../formatters/value-text.js';
import type { AtomState } from '../persistence/details.js';
import type { ListenerOptions, TaskNews } from './engine-listener.js';
import { EngineListener, FINISHED } from './engine-listener.js';
import type { Engine } from '../engines/engine.js';

export interface DumpingListenerOptions extends ListenerOptions, ValueTextOptions {}

/** Whether a result may be written down: one that is hidden is kept by a codec that keeps secrets. */
export function isShowable(details: object): boolean {
  return Object.prototype.propertyIsEnumerable.call(details, 'result');
}

/**
 * Writes down what becomes of the flow and of its tasks, each change as one text. Retries are not written down.
 *
 * @see TaskFlow `listeners/base.py`, `DumpingListener`.
 */
export abstract class DumpingListener extends EngineListener {
  readonly #texts: ValueTextOptions;

  constructor(engine: Engine, options: DumpingListenerOptions = {}) {
    super(engine, options);
    this.#texts = options;
  }

  /** Writes one text. @param failure - What the text is about, where that is a failure: its stack is worth writing. */
  protected abstract dump(text: string, failure?: Failure): void;

  protected override onFlow(state: FlowState, { flowName, flowUuid, oldState }: FlowDetails): void {
    this.dump(`Flow '${flowName}' (${flowUuid}) has moved into state ${state} from state ${oldState}`);
  }

  protected override onTask(state: AtomState, details: TaskNews): void {
    const { taskName, taskUuid, oldState, result } = details;
    const text = `Task '${taskName}' (${taskUuid}) has moved into state ${state} from state ${oldState}`;
    if (!FINISHED.has(state)) this.dump(text);
    else if (result instanceof Failure) this.dump(`${text} with ${valueText(result, this.#texts)}`, result);
    else this.dump(isShowable(details) ? `${text} with result ${valueText(result, this.#texts)}` : text);
  }
}
