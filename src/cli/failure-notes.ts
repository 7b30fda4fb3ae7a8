import type { Engine } from '../engines/engine.js';
import { Failure, formatError } from '../failure.js';
import { FailureFormatter } from '../formatters/failure-formatter.js';
import { printable } from '../formatters/terminal-text.js';
import type { ValueTextOptions } from '../formatters/value-text.js';
import type { TaskNews } from '../listeners/engine-listener.js';
import { EngineListener } from '../listeners/engine-listener.js';

export interface FailureNotesOptions extends ValueTextOptions {
  /** Whether arguments and results are told. */
  readonly showValues: boolean;
}

/** Failures that are told of in full. */
const MOST_TOLD = 20;
/** Causes and frames that are shown of one. */
const MOST_LINES = 12;

/** Takes down where in the flow each failure happened: when the run is over, what came before it may be undone. */
export class FailureNotes extends EngineListener {
  readonly #places = new Map<string, string>();
  readonly #formatter: FailureFormatter;

  constructor(engine: Engine, { showValues, maskKeys = [] }: FailureNotesOptions) {
    super(engine, { taskListenFor: ['FAILURE'], retryListenFor: null, flowListenFor: null });
    engine.compile();
    const names = engine.compilation?.atoms.map(({ name }) => name) ?? [];
    this.#formatter = new FailureFormatter(engine, {
      hideInputsOutputsOf: showValues ? [] : names,
      maskInputsKeys: maskKeys,
      maskOutputsKeys: maskKeys,
    });
  }

  protected override onTask(_state: string, { taskName, result }: TaskNews): void {
    if (this.#places.size >= MOST_TOLD) return;
    const text = this.#formatter.format(Failure.from(result), ({ name }) => name === taskName);
    if (text !== '') this.#places.set(taskName, text);
  }

  /** The failures that still stand, as text. */
  text(): string {
    const { storage } = this.engine;
    const told = [
      ...Array.from(storage.getExecuteFailures(), ([name, failure]) => this.#noteOf(name, 'failed', failure)),
      ...Array.from(storage.getRevertFailures(), ([name, failure]) =>
        this.#noteOf(name, 'could not be reverted', failure),
      ),
    ];
    const more = told.length - MOST_TOLD;
    return [...told.slice(0, MOST_TOLD), ...(more > 0 ? [`… and ${more} more failures`] : [])].join('\n');
  }

  #noteOf(name: string, what: string, failure: Failure): string {
    const place = what === 'failed' ? this.#places.get(name) : undefined;
    return [
      `${printable(name)} ${what}: ${failureText(failure)}`,
      ...(place === undefined ? [] : [indented(place)]),
    ].join('\n');
  }
}

/** A failure with its causes, without what a terminal would obey. */
export function failureText(failure: Failure): string {
  return formatError(failure, { type: true }).split('\n').slice(0, MOST_LINES).map(printable).join('\n  ');
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${printable(line)}`)
    .join('\n');
}
