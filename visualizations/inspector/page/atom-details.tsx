import type { ComponentChildren } from 'preact';
import type { Known } from '../facts-at.js';
import { factsAt } from '../facts-at.js';
import type { Moment } from '../history.js';
import type { PictureFailure, PictureReason } from '../run-picture.js';
import type { Travel } from './app.js';
import type { RunModel } from './run-model.js';
import { StatePill } from './state-pill.js';
import { lengthText, nameText, timeText } from './words.js';

interface AtomDetailsProps {
  readonly model: RunModel;
  readonly moment: Moment;
  readonly part: number;
  readonly reasons: readonly PictureReason[];
  readonly travel: Travel;
  readonly onSelect: (part: number | null) => void;
}

const NOT_KEPT = 'of an earlier attempt; not kept';

/** What is known of one atom at the moment that is shown. */
export function AtomDetails({ model, moment, part: id, reasons, travel, onSelect }: AtomDetailsProps) {
  const { parts, name: runName } = model.picture;
  const part = parts[id];
  if (part === undefined) return null;
  const facts = model.facts[id];
  const { history } = model;
  const known = factsAt(facts, id, history, moment);
  const reason = reasons.find((each) => each.part === id);
  const isNow = moment.count === history.entries.length;
  const waits = reason === undefined ? null : reason.message.slice(reason.message.indexOf(' waits: ') + 8);
  const NameOf = ({ of }: { readonly of: number }) => (
    <button type="button" class="plain name-link" onClick={() => onSelect(of)}>
      {nameText(parts[of]?.name ?? '')}
    </button>
  );
  return (
    <>
      {waits === null ? null : (
        <Section title="Waits">
          <p>{nameText(waits)}</p>
        </Section>
      )}
      <FailureSection title="Failure" failure={known.failure} />
      <FailureSection title="Could not be undone" failure={known.revertFailure} />
      {part.takes.length === 0 ? null : (
        <Section title="Arguments">
          <dl class="values">
            {part.takes.map(({ argument, symbol, isOptional, from }, at) => (
              <div key={argument}>
                <dt>
                  {nameText(argument)}
                  {argument === symbol ? null : <small> = {nameText(symbol)}</small>}
                  {isOptional ? <small> optional</small> : null}
                  <span class="origin">
                    {from.length === 0 ? 'given to the run' : from.map((of) => <NameOf key={of} of={of} />)}
                  </span>
                </dt>
                <dd>{argumentText(known.arguments, at)}</dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
      {part.gives.length === 0 && known.result === 'none' ? null : (
        <Section title="Result">
          <dl class="values">
            <div>
              <dt>{part.gives.map((symbol) => nameText(symbol)).join(', ')}</dt>
              <dd>{valueText(known.result)}</dd>
            </div>
          </dl>
        </Section>
      )}
      {isNow && facts?.revertResult !== null && facts?.revertResult !== undefined ? (
        <Section title="Result of undoing it">
          <dl class="values">
            <dd>{nameText(facts.revertResult)}</dd>
          </dl>
        </Section>
      ) : null}
      {isNow && facts !== undefined && facts.attempts.length > 0 ? (
        <Section title={`Attempts (${facts.attempts.length})`}>
          <ol class="attempts">
            {facts.attempts.map(({ provided, failures }, at) => (
              <li key={at}>
                <code>{nameText(provided)}</code>
                {failures.map(({ atom, message }) => (
                  <p key={atom} class="failed">
                    <b>{nameText(atom)}</b> {nameText(message)}
                  </p>
                ))}
              </li>
            ))}
          </ol>
        </Section>
      ) : null}
      <AtomHistory model={model} moment={moment} part={id} travel={travel} />
      <p class="where">in {pathTo(model, id, runName)}</p>
    </>
  );
}

export function Section({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function FailureSection({ title, failure }: { readonly title: string; readonly failure: Known<PictureFailure> }) {
  if (failure === 'none') return null;
  if (failure === 'not kept') {
    return (
      <Section title={title}>
        <p class="quiet">{NOT_KEPT}</p>
      </Section>
    );
  }
  const { message, stack } = failure.value;
  return (
    <Section title={title}>
      <p class="failed">{message}</p>
      {stack === null ? null : (
        <details>
          <summary>Stack</summary>
          <pre>{stack}</pre>
        </details>
      )}
    </Section>
  );
}

interface AtomHistoryProps {
  readonly model: RunModel;
  readonly moment: Moment;
  readonly part: number;
  readonly travel: Travel;
}

function AtomHistory({ model: { history }, moment, part, travel }: AtomHistoryProps) {
  const places = history.placesOf(part);
  if (places.length === 0) return null;
  return (
    <Section title="History">
      <ol class="history">
        {places.map((place, at) => {
          const entry = history.entries[place];
          if (entry === undefined) return null;
          const before = history.entries[places[at - 1] ?? -1];
          const isLast = moment.lastEntries[part] === place;
          return (
            <li key={place} class={`${place >= moment.count ? 'later' : ''} ${isLast ? 'current' : ''}`}>
              <button type="button" class="plain" onClick={() => travel.to(place + 1)} aria-current={isLast}>
                <time>{timeText(entry.at)}</time>
                {entry.to === null ? <i>removed</i> : <StatePill state={entry.to} />}
                <span class="quiet">{before === undefined ? '' : `after ${lengthText(entry.at - before.at)}`}</span>
              </button>
            </li>
          );
        })}
      </ol>
    </Section>
  );
}

function argumentText(known: Known<readonly (string | null)[]>, at: number): ComponentChildren {
  if (known === 'none') return <span class="quiet">no value yet</span>;
  if (known === 'not kept') return <span class="quiet">{NOT_KEPT}</span>;
  const text = known.value[at] ?? null;
  return text === null ? <span class="quiet">not there any more</span> : nameText(text);
}

function valueText(known: Known<string>): ComponentChildren {
  if (known === 'none') return <span class="quiet">none yet</span>;
  return known === 'not kept' ? <span class="quiet">{NOT_KEPT}</span> : nameText(known.value);
}

function pathTo({ picture: { parts } }: RunModel, id: number, runName: string): string {
  const path: string[] = [];
  for (let at = parts[id]?.parent ?? null; at !== null; at = parts[at]?.parent ?? null) {
    path.push(nameText(parts[at]?.name ?? '', 30));
  }
  return path.length === 0 ? nameText(runName) : path.reverse().join(' › ');
}
