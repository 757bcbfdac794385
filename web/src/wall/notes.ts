// What a layer or figure says about its own age, in words.
import { duration, hm, hms } from '../lib/format';
import type { Freshness } from '../lib/live/freshness';
import type { Messages } from '../lib/messages/zh';
import type { Wall } from './wall.svelte';

/** Up to a minute the age itself, after that the clock: at 5 m "since 14:03" reads better than "412 s". */
export function staleNote(freshness: Freshness, wall: Wall, t: Messages): string | null {
  if (freshness.state === 'fresh') return null;
  if (freshness.state === 'waiting') return t.waiting;
  if (freshness.why === 'clock') return t.clockMoved;
  if (freshness.seconds < 60) return t.staleFor(duration(freshness.seconds, t));
  const since = wall.live.businessAt(freshness.since) ?? wall.now;
  return t.staleSince(hm(since, wall.session.company.timezone));
}

/** The same at length, for who comes close or listens. */
export function staleDetail(freshness: Freshness, wall: Wall, t: Messages): string {
  if (freshness.state !== 'stale') return freshness.state === 'waiting' ? t.waiting : '';
  if (freshness.why === 'clock') return t.clockMovedHow;
  const clock = hms(wall.live.businessAt(freshness.since) ?? wall.now, wall.session.company.timezone);
  return freshness.why === 'source' ? t.sourceSilentSince(clock) : t.staleSince(clock);
}
