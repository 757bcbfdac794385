import { describe, expect, it } from 'vitest';
import { soonest } from '../../src/desk/forms/times';
import { byName } from '../../src/desk/names';
import { lane, laneOrder, ticks } from '../../src/desk/timeline/lanes';
import type { Choice, CrewDayRow, CrewRow, PlannedVisit } from '../../src/lib/wire';

const crew = (name: string, more: Partial<CrewRow> = {}): CrewRow => ({
  name, trades: [], members: 2, vehicle: '', state: 'free', ticket: null, position_lost: false, position_lost_since: null,
  shift_ends_at: null, ...more,
});
const visit = (ticket: string, at: number, more: Partial<PlannedVisit> = {}): PlannedVisit => ({
  tickets: [ticket], level: 'blue', kind: 'repair', address: `place of ${ticket}`, leave_at: at - 10, start_at: at, end_at: at + 100,
  state: 'planned', frozen: false, late_s: 0, ...more,
});
const choice = (id: string, at: number): Choice => ({
  crew: id, crew_name: id, arrive_at: at, start_at: at, end_at: at + 50, sure_s: 60, distance_m: 1, score: {}, total: 0, facts: {},
  after: null, displaced: [], newly_late: [],
});
const day = (...visits: PlannedVisit[]): CrewDayRow => ({ plan: 1, visits, breaks: [] });
const none = (): null => null;
const no = (): boolean => false;

describe('lanes', () => {
  it('stand by rank, then by name as people count; who is off comes last, and without a visit not at all', () => {
    const crews: [string, { row: CrewRow }][] = [
      ['a', { row: crew('11 组') }], ['b', { row: crew('3 组') }], ['c', { row: crew('7 组', { state: 'off' }) }], ['d', { row: crew('22 组') }],
    ];
    expect(laneOrder(crews, new Map(), [])).toEqual(['b', 'a', 'd']);
    expect(laneOrder(crews, new Map(), [choice('d', 1), choice('c', 2)])).toEqual(['d', 'c', 'b', 'a']);
    expect(laneOrder(crews, new Map([['c', { row: day(visit('x', 5)) }]]), [])).toEqual(['b', 'a', 'd', 'c']);
  });
  it('keep the two crews of a job together', () => {
    const crews: [string, { row: CrewRow }][] = [['a', { row: crew('1 组') }], ['b', { row: crew('2 组') }], ['c', { row: crew('3 组') }]];
    expect(laneOrder(crews, new Map(), [{ ...choice('c', 1), with_crew: 'b' }, choice('a', 2), choice('b', 3)])).toEqual(['c', 'b', 'a']);
  });
  it('show the proposal as a ghost instead of the plan’s own guess', () => {
    const selected = { ticket: 'x', level: 'red' as const, address: 'there', choices: [choice('a', 300)] };
    const found = lane('a', crew('3 组'), day(visit('x', 200), visit('y', 500)), selected, no, none);
    expect(found.bars.map((bar) => [bar.ticket, bar.state, bar.rank])).toEqual([['x', 'ghost', 1], ['y', 'planned', null]]);
    expect(found.rank).toBe(1);
  });
  it('keep a visit that was given already beside a ghost', () => {
    const selected = { ticket: 'x', level: 'red' as const, address: 'there', choices: [choice('a', 300)] };
    const found = lane('a', crew('3 组'), day(visit('x', 200, { state: 'confirmed' })), selected, no, none);
    expect(found.bars.map((bar) => bar.state)).toEqual(['confirmed', 'ghost']);
  });
  it('mark whole hours', () => {
    expect(ticks(1000, 6 * 3600, 0)).toEqual([3600, 7200, 10800, 14400, 18000, 21600]);
    expect(ticks(0, 2 * 3600, 900)).toEqual([900, 2700, 4500, 6300]);
  });
});

describe('crews’ names', () => {
  it('stand as people count them', () => {
    const names = ['道北二次网十一班', '道北二次网二班', '道北二次网十班', '道北二次网一班', '道北二次网二十班', '道北一次网三班', '11 组', '3 组'];
    expect([...names].sort(byName)).toEqual([
      '3 组', '11 组', '道北一次网三班', '道北二次网一班', '道北二次网二班', '道北二次网十班', '道北二次网十一班', '道北二次网二十班',
    ]);
  });
});

describe('a time as it is typed', () => {
  const zone = 'Asia/Shanghai';
  const noon = Date.UTC(2026, 0, 14, 4) / 1000;
  it('is the next one on the city’s clocks', () => {
    expect(soonest('14:30', noon, zone)).toBe(noon + 9000);
    expect(soonest('1430', noon, zone)).toBe(noon + 9000);
    expect(soonest('9：05', noon, zone)).toBe(noon + (24 - 3) * 3600 + 300);
  });
  it('is none where it is none', () => {
    for (const typed of ['', '25:00', '12:61', 'soon']) expect(soonest(typed, noon, zone)).toBeNull();
  });
});
