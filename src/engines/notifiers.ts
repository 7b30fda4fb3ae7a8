import type { Ledger } from '../storage/ledger.js';
import { AnnouncedNotifier, DurableNews } from './announced-notifier.js';
import type { AtomDetails } from './atom-services.js';

/** The two notifiers of an engine: of its flow, and of its atoms. */
interface Notifiers<FlowDetails extends object> {
  readonly notifier: AnnouncedNotifier<FlowDetails>;
  readonly atomNotifier: AnnouncedNotifier<AtomDetails>;
  /** Calls when everything that was changed before is durable. */
  readonly whenDurable: (call: () => void) => void;
}

/** Makes them, with news that waits for the commits of a ledger. */
export function notifiersFor<FlowDetails extends object>(
  ledger: Ledger,
  countListenerError: () => void,
): Notifiers<FlowDetails> {
  const news = new DurableNews(() => ledger.isSettled);
  const notifier = new AnnouncedNotifier<FlowDetails>(news);
  const atomNotifier = new AnnouncedNotifier<AtomDetails>(news);
  ledger.onGathering = () => {
    news.mark();
  };
  ledger.onCommitted = () => {
    if (news.isWaiting) news.tell({ everything: !ledger.isDirty });
  };
  notifier.onListenerError = countListenerError;
  atomNotifier.onListenerError = countListenerError;
  return { notifier, atomNotifier, whenDurable: (call) => news.add(call) };
}
