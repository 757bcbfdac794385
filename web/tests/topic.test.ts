// Whole snapshots and whole batches: what is applied, ignored, a gap, or wrong.
import { describe, expect, it } from 'vitest';
import { TopicHash } from '../src/lib/live/hash';
import { TopicState } from '../src/lib/live/topic';
import type { Batch, Put, Snap } from '../src/lib/wire';

const put = (key: string, version: number): Put => ({ key, version, row: { version } });

function hashOf(rows: Put[]): string {
  const hash = new TopicHash();
  for (const { key, version } of rows) hash.add(key, version);
  return hash.digest();
}

const snap = (seq: number, rows: Put[], hash = hashOf(rows)): Snap => ({
  t: 'snap',
  topic: 'tickets',
  epoch: 1,
  seq,
  hash,
  as_of: 100 + seq,
  source_at: null,
  cadence_s: null,
  rows,
});

const batch = (from: number, to: number, puts: Put[], drop: string[], after: Put[], epoch = 1): Batch => ({
  t: 'batch',
  topic: 'tickets',
  epoch,
  seq_from: from,
  seq_to: to,
  put: puts,
  drop,
  hash: hashOf(after),
  as_of: 100 + to,
});

function started(): TopicState<unknown> {
  const state = new TopicState();
  state.snapshot(snap(5, [put('a', 1), put('b', 2)]));
  return state;
}

const keys = (state: TopicState<unknown>): string[] => [...state.rows.keys()].sort();

describe('TopicState', () => {
  it('takes a snapshot and refuses one whose hash is another', () => {
    const state = started();
    expect(keys(state)).toEqual(['a', 'b']);
    expect(state.snapshot(snap(9, [put('z', 1)], '00')).kind).toBe('wrong');
    expect(keys(state)).toEqual(['a', 'b']);
    expect(state.position).toEqual({ epoch: 1, seq: 5 });
  });

  it('applies a batch that follows, put and drop together', () => {
    const state = started();
    const verdict = state.batch(batch(5, 6, [put('c', 3), put('a', 4)], ['b'], [put('a', 4), put('c', 3)]));
    expect(verdict).toEqual({ kind: 'applied', change: { full: false, put: ['c', 'a'], drop: ['b'] } });
    expect(keys(state)).toEqual(['a', 'c']);
    expect(state.asOf).toBe(106);
  });

  it('applies a merged batch that begins before what it has', () => {
    const state = started();
    expect(state.batch(batch(3, 8, [put('c', 3)], [], [put('a', 1), put('b', 2), put('c', 3)])).kind).toBe('applied');
    expect(state.position).toEqual({ epoch: 1, seq: 8 });
  });

  it('ignores what it already has', () => {
    const state = started();
    expect(state.batch(batch(3, 5, [put('c', 3)], ['a'], [])).kind).toBe('ignored');
    expect(keys(state)).toEqual(['a', 'b']);
  });

  it('calls a hole or another epoch a gap, and changes nothing', () => {
    const state = started();
    expect(state.batch(batch(6, 7, [put('c', 3)], [], [])).kind).toBe('gap');
    expect(state.batch(batch(5, 6, [put('c', 3)], [], [], 2)).kind).toBe('gap');
    expect(new TopicState().batch(batch(0, 1, [], [], [])).kind).toBe('gap');
    expect(keys(state)).toEqual(['a', 'b']);
  });

  it('says so when its rows are not the server’s', () => {
    expect(started().batch(batch(5, 6, [put('c', 3)], [], [put('c', 3)])).kind).toBe('wrong');
  });

  it('compares a tick’s hash only at the same sequence', () => {
    const tick = { epoch: 1, as_of: 200, source_at: 150, cadence_s: 60 };
    const good = hashOf([put('a', 1), put('b', 2)]);
    const state = started();
    expect(state.tick({ ...tick, seq: 6, hash: 'other' })).toBe('behind');
    expect(state.asOf).toBe(105);
    expect(state.tick({ ...tick, seq: 4, hash: 'other' })).toBe('ahead');
    expect(state.asOf).toBe(105);
    expect(state.tick({ ...tick, seq: 5, hash: 'other' })).toBe('wrong');
    expect(state.tick({ ...tick, seq: 5, hash: good })).toBe('same');
    expect([state.asOf, state.sourceAt, state.cadenceS]).toEqual([200, 150, 60]);
    expect(state.tick({ ...tick, epoch: 2, seq: 5, hash: good })).toBe('behind');
  });

  it('is only as fresh as the last word says, also when the server’s clock was set back', () => {
    const state = started();
    const tick = { epoch: 1, seq: 5, hash: hashOf([put('a', 1), put('b', 2)]), source_at: null, cadence_s: null };
    state.tick({ ...tick, as_of: 4000 });
    expect(state.asOf).toBe(4000);
    state.tick({ ...tick, as_of: 400 });
    expect(state.asOf).toBe(400);
    state.batch({ ...batch(5, 6, [], ['b'], [put('a', 1)]), as_of: 390 });
    expect(state.asOf).toBe(390);
  });

  it('converges to a fresh snapshot over random batches', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const server = new Map<string, Put>();
    const state = new TopicState();
    state.snapshot(snap(0, []));
    for (let seq = 1, version = 1; seq <= 300; seq += 1) {
      const puts = new Map<string, Put>();
      const drops = new Set<string>();
      for (let i = 0; i < 5; i += 1) {
        const key = `k${Math.floor(random() * 20)}`;
        if (random() < 0.3 && !puts.has(key)) {
          server.delete(key);
          drops.add(key);
        } else if (!drops.has(key)) {
          puts.set(key, put(key, (version += 1)));
          server.set(key, puts.get(key)!);
        }
      }
      const verdict = state.batch(batch(seq - 1, seq, [...puts.values()], [...drops], [...server.values()]));
      expect(verdict.kind).toBe('applied');
    }
    expect(keys(state)).toEqual([...server.keys()].sort());
  });
});
