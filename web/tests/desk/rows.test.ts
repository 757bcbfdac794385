import { describe, expect, it } from 'vitest';
import type { EvidenceRow } from '../../src/lib/rows';
import type { Level, TicketRow } from '../../src/lib/wire';
import { asking, counted, listed, matches, neighbour, NOTHING, place, searchWords, settle } from '../../src/desk/queue/rows';

function row(level: Level, due: number | null, more: Partial<TicketRow> = {}): TicketRow {
  return {
    kind: 'leak', level, state: 'accepted', lon: 126, lat: 45, address: '道里区 经纬街128号', building: 'B1', community: null,
    district: '道里区', source: 'phone', received_at: 0, due_at: due, due_clock: 'respond', near: false, overdue: false,
    overdue_since: null, lost_contact: false, crew: null, crew_name: null, crew_confirmed: false, outage: null, reports: 1,
    ...more,
  };
}
const rowsOf = (all: Record<string, TicketRow>) => new Map(Object.entries(all).map(([id, one]) => [id, { version: 1, row: one }]));
const every = (): boolean => true;

describe('the order of the queue', () => {
  it('is by level, then least time first, then by id; without a clock last', () => {
    const rows = rowsOf({
      e: row('blue', 5), d: row('yellow', null), c: row('yellow', 90), b: row('red', 80), a: row('red', 10), f: row('blue', 5),
    });
    expect(listed(rows, 'waiting', every)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });
  it('knows which list a ticket is of, and counts them', () => {
    const rows = rowsOf({
      a: row('red', 1), b: row('red', 1, { state: 'dispatched' }), c: row('red', 1, { state: 'received' }),
      d: row('red', 1, { state: 'verifying', lost_contact: true }), e: row('red', 1, { state: 'handling' }),
    });
    expect(counted(rows)).toEqual({ waiting: 1, under_way: 2, received: 1, call_back: 1, lost: 1, all: 5 });
    expect(listed(rows, 'under_way', every)).toEqual(['b', 'e']);
  });
});

describe('nothing jumps', () => {
  const first = rowsOf({ a: row('yellow', 10), b: row('yellow', 20), c: row('blue', 30) });
  const shown = settle(NOTHING, listed(first, 'waiting', every), first);

  it('takes the first picture whole', () => expect(shown).toEqual({ ids: ['a', 'b', 'c'], gone: new Set(), fresh: 0 }));
  it('lets a new row wait, also where it would stand at the top', () => {
    const rows = rowsOf({ n: row('yellow', 1), a: row('yellow', 10), b: row('yellow', 20), c: row('blue', 30) });
    expect(settle(shown, listed(rows, 'waiting', every), rows)).toEqual({ ids: ['a', 'b', 'c'], gone: new Set(), fresh: 1 });
  });
  it('puts a red one in its place at once, and moves one that became red', () => {
    const rows = rowsOf({ n: row('red', 50), a: row('yellow', 10), b: row('red', 20), c: row('blue', 30) });
    expect(settle(shown, listed(rows, 'waiting', every), rows).ids).toEqual(['b', 'n', 'a', 'c']);
  });
  it('keeps a row that left in its place, marked', () => {
    const rows = rowsOf({ a: row('yellow', 10), b: row('yellow', 20, { state: 'dispatched' }), c: row('blue', 30) });
    const next = settle(shown, listed(rows, 'waiting', every), rows);
    expect([next.ids, [...next.gone]]).toEqual([['a', 'b', 'c'], ['b']]);
    expect(neighbour(next, 'a')).toBe('c');
    expect(neighbour(next, 'c')).toBe('a');
  });
  it('does not reorder rows whose clock changed', () => {
    const rows = rowsOf({ a: row('yellow', 99), b: row('yellow', 20), c: row('blue', 30) });
    expect(settle(shown, listed(rows, 'waiting', every), rows).ids).toEqual(['a', 'b', 'c']);
  });
  it('takes what comes once nothing of it is left', () => {
    const rows = rowsOf({ n: row('blue', 1) });
    expect(settle(shown, listed(rows, 'waiting', every), rows)).toEqual({ ids: ['n'], gone: new Set(), fresh: 0 });
  });
});

describe('search and places', () => {
  it('wants every word, in any part', () => {
    const one = row('red', 1, { crew_name: '3 组' });
    const kind = (): string => '漏水';
    expect(matches('260114-000001', one, searchWords(' 经纬  漏水 '), kind)).toBe(true);
    expect(matches('260114-000001', one, searchWords('经纬 不热'), kind)).toBe(false);
    expect(matches('260114-000001', one, searchWords('000001 3'), kind)).toBe(true);
  });
  it('leaves the district away where it stands beside', () => {
    expect(place(row('red', 1))).toBe('经纬街128号');
    expect(place(row('red', 1, { address: '道里区' }))).toBe('道里区');
    expect(place(row('red', 1, { district: null }))).toBe('道里区 经纬街128号');
  });
});

describe('what waits for the desk', () => {
  it('is what a crew asks for and where nobody opened too often, the longest waiting first', () => {
    const rows = rowsOf({ a: row('blue', 5), b: row('red', 1), c: row('yellow', 9, { received_at: 50 }), d: row('red', 1), e: row('red', 1) });
    const site = (more: Partial<EvidenceRow>): EvidenceRow => ({
      verdict: 'missing', slots: {}, needs_person: null, unjudged: false, level: 'red', address: '', since: null, ...more,
    });
    const sites = new Map(
      Object.entries({
        a: site({ asks: 'tools', asks_since: 90 }), b: site({}), c: site({ to_desk: true, unanswered: 3 }),
        d: site({ asks: 'desk', asks_since: 20 }), e: site({ unanswered: 2 }), over: site({ asks: 'desk', asks_since: 1 }),
      }).map(([id, one]) => [id, { version: 1, row: one }]),
    );
    expect(asking(rows, sites).map(([id]) => id)).toEqual(['d', 'c', 'a']);
  });
});
