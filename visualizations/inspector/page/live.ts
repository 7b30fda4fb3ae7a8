import type { RunNews, RunPicture } from '../run-picture.js';
import type { RunModel } from './run-model.js';

/**
 * Hears what is new from the server that the page came from. A browser that is cut off connects again by itself, and
 * says what it heard last.
 */
export function listen(model: RunModel, { path, since }: { readonly path: string; readonly since: string }): void {
  const events = new EventSource(`${path}?since=${encodeURIComponent(since)}`);
  const hear = (event: string, take: (data: unknown) => void) => {
    events.addEventListener(event, (message: MessageEvent<string>) => take(JSON.parse(message.data)));
  };
  model.connected('live');
  hear('news', (news) => model.add(news as RunNews));
  hear('picture', (picture) => model.replace(picture as RunPicture));
  events.addEventListener('open', () => model.connected('live'));
  events.addEventListener('error', () => model.connected('lost'));
}
