import { afterEach, expect, it, vi } from 'vitest';
import { systemEnvironment } from '../src/environment.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

afterEach(() => vi.useRealTimers());

it('makes random UUIDs, each another', () => {
  const ids = Array.from({ length: 1000 }, () => systemEnvironment.newId());
  for (const id of ids) expect(id).toMatch(UUID);
  expect(new Set(ids).size).toBe(ids.length);
});

it('makes every digit of an id at random', () => {
  const ids = Array.from({ length: 1000 }, () => systemEnvironment.newId());
  const digitsAt = (place: number) => new Set(ids.map((id) => id[place])).size;
  const counts = Array.from(ids[0] ?? '', (_, place) => digitsAt(place));
  const varying = counts.filter((count) => count === 16).length;
  expect(varying).toBe(30);
  expect([counts[14], counts[19]]).toEqual([1, 4]);
});

it('waits for longer than the platform can at once', () => {
  vi.useFakeTimers();
  const longMs = 3 * 2 ** 31;
  let calls = 0;
  systemEnvironment.clock.setTimer(longMs, () => (calls += 1));
  const cancelled = systemEnvironment.clock.setTimer(longMs, () => (calls += 100));
  vi.advanceTimersByTime(longMs - 1);
  expect(calls).toBe(0);
  cancelled.cancel();
  vi.advanceTimersByTime(1);
  expect(calls).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});
