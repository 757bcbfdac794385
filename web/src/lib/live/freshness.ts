// Whether a topic may be called fresh, told the server's time; nothing here reads a clock.

/** A topic's picture may be this old by the server's time before it greys. */
export const STALE_AFTER_S = 3;
/** A picture from further ahead than this says that the server's clock was moved: its age is unknown. */
export const AHEAD_AT_MOST_S = 3;

export type Freshness =
  | { state: 'waiting' }
  | { state: 'fresh' }
  /** `since` is system time, Unix seconds: nothing newer was shown. With `clock` it lies `seconds` ahead. */
  | { state: 'stale'; why: 'feed' | 'source' | 'clock'; since: number; seconds: number };

export interface Times {
  asOf: number | null;
  sourceAt: number | null;
  cadenceS: number | null;
}

export function freshness(times: Times, serverNow: number): Freshness {
  if (times.asOf === null) return { state: 'waiting' };
  const age = serverNow - times.asOf;
  if (age > STALE_AFTER_S) return { state: 'stale', why: 'feed', since: times.asOf, seconds: age };
  if (age < -AHEAD_AT_MOST_S) return { state: 'stale', why: 'clock', since: times.asOf, seconds: -age };
  if (times.sourceAt !== null && times.cadenceS !== null) {
    const silence = serverNow - times.sourceAt;
    if (silence > times.cadenceS) {
      return { state: 'stale', why: 'source', since: times.sourceAt, seconds: silence };
    }
  }
  return { state: 'fresh' };
}

/** The worst of several topics that make one layer: the oldest stale one, else waiting, else fresh. */
export function worst(parts: Freshness[]): Freshness {
  let result: Freshness = { state: 'fresh' };
  for (const part of parts) {
    if (part.state === 'stale' && (result.state !== 'stale' || part.since < result.since)) result = part;
    else if (part.state === 'waiting' && result.state === 'fresh') result = part;
  }
  return result;
}

/** Seconds to wait before attempt `n` (0 first): exponential from 0.5 to 8, with full jitter above the floor. */
export function backoff(attempt: number, random: number): number {
  const ceiling = Math.min(8, 0.5 * 2 ** (attempt + 1));
  return 0.5 + (ceiling - 0.5) * random;
}
