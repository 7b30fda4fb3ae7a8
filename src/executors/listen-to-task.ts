import type { Task } from '../atoms/task.js';
import { UPDATE_PROGRESS } from '../atoms/task.js';
import { ANY } from '../notifications/notifier.js';

const NOTHING: Disposable = { [Symbol.dispose]: () => undefined };

/**
 * Tells on what a task tells while it runs away from its engine.
 *
 * @param events - Those that somebody listens to, as `eventsHeard` gives them; `*` stands for all but progress.
 * @returns disposing it ends that.
 */
export function listenTo(
  task: Task,
  events: readonly string[],
  tell: (event: string, details: Record<string, unknown>) => void,
): Disposable {
  if (events.length === 0) return NOTHING;
  const heard = new Set(events);
  if (heard.delete(UPDATE_PROGRESS)) {
    task.onProgress = (_, progress, details) => tell(UPDATE_PROGRESS, { ...details, progress });
  }
  const registration =
    heard.size === 0
      ? null
      : task.notifier.register(ANY, (event, details) => {
          if (event !== UPDATE_PROGRESS && (heard.has(event) || heard.has(ANY))) tell(event, details);
        });
  return {
    [Symbol.dispose]() {
      task.onProgress = null;
      registration?.[Symbol.dispose]();
    },
  };
}

/** Hands on to whoever waits for a task what it told of where it ran. */
export function hearFrom(
  context: { progress(progress: number, details?: object): void; notify(event: string, details?: object): void },
  event: string,
  details: Record<string, unknown>,
): void {
  const { progress, ...others } = details;
  if (event === UPDATE_PROGRESS && typeof progress === 'number') context.progress(progress, others);
  else context.notify(event, details);
}
