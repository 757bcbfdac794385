// When a layer may be called fresh, and how long a lost line waits.
import { describe, expect, it } from 'vitest';
import { backoff, freshness, worst, type Freshness } from '../src/lib/live/freshness';

const times = { asOf: 1000, sourceAt: 990, cadenceS: 60 };

describe('freshness', () => {
  it('waits without a snapshot', () => {
    expect(freshness({ ...times, asOf: null }, 1000)).toEqual({ state: 'waiting' });
  });

  it('is fresh up to three seconds, then says since when', () => {
    expect(freshness(times, 1003)).toEqual({ state: 'fresh' });
    expect(freshness(times, 1003.5)).toEqual({ state: 'stale', why: 'feed', since: 1000, seconds: 3.5 });
  });

  it('does not trust a picture from the future: the clock was set back', () => {
    expect(freshness(times, 997)).toEqual({ state: 'fresh' });
    expect(freshness(times, 996)).toEqual({ state: 'stale', why: 'clock', since: 1000, seconds: 4 });
  });

  it('greys when the source is silent for longer than its cadence', () => {
    const current = { ...times, asOf: 1051 };
    expect(freshness(current, 1050)).toEqual({ state: 'fresh' });
    expect(freshness(current, 1051)).toEqual({ state: 'stale', why: 'source', since: 990, seconds: 61 });
    expect(freshness({ ...current, cadenceS: null }, 1051)).toEqual({ state: 'fresh' });
    expect(freshness({ ...current, sourceAt: null }, 1051)).toEqual({ state: 'fresh' });
  });

  it('takes the oldest of the topics that make a layer', () => {
    const stale = (since: number): Freshness => ({ state: 'stale', why: 'feed', since, seconds: 5 });
    expect(worst([{ state: 'fresh' }, { state: 'fresh' }])).toEqual({ state: 'fresh' });
    expect(worst([{ state: 'waiting' }, stale(7)])).toEqual(stale(7));
    expect(worst([stale(9), { state: 'fresh' }, stale(7)])).toEqual(stale(7));
  });
});

describe('backoff', () => {
  it('stays between half a second and eight, growing', () => {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      expect(backoff(attempt, 0)).toBe(0.5);
      expect(backoff(attempt, 1)).toBe(Math.min(8, 0.5 * 2 ** (attempt + 1)));
    }
  });
});
