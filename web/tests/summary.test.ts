// The wall's figures over rows, and the one incident that leads.
import { describe, expect, it } from 'vitest';
import type { CrewRow, OutageRow, RoomRow, TicketRow } from '../src/lib/wire';
import { passes, roomPasses } from '../src/wall/panel';
import { roomsByBuilding, roomsBySubstation, summarizeCrews, summarizeOutages, summarizeTickets, worstIncident } from '../src/wall/summary';

const ticket = (changes: Partial<TicketRow>): TicketRow => ({
  kind: 'leak',
  level: 'blue',
  state: 'handling',
  lon: 126.6,
  lat: 45.7,
  address: '经纬街 128 号',
  building: null,
  community: null,
  district: null,
  source: 'hotline',
  received_at: 1000,
  due_at: 2000,
  due_clock: 'respond',
  near: false,
  overdue: false,
  overdue_since: null,
  lost_contact: false,
  crew: 'k1',
  crew_name: '一班',
  crew_confirmed: true,
  outage: null,
  reports: 1,
  ...changes,
});

const outage = (changes: Partial<OutageRow>): OutageRow => ({
  name: '7 号站',
  node_kind: 'substation',
  lon: 126.6,
  lat: 45.7,
  buildings: 4,
  households: 100,
  cause: 'pump',
  opened_at: 500,
  expected_end_at: 5000,
  ...changes,
});

const room = (changes: Partial<RoomRow>): RoomRow => ({
  celsius: 15,
  bound_c: 18,
  since: 1,
  read_at: 2,
  lon: 126.6,
  lat: 45.7,
  address: '经纬街 128 号',
  building: 'b1',
  community: null,
  substation: 's1',
  substation_name: '7 号站',
  substation_lon: 126.61,
  substation_lat: 45.71,
  ...changes,
});

function rows<Row>(...list: Row[]): [string, { version: number; row: Row }][] {
  return list.map((row, i) => [`k${i}`, { version: i, row }]);
}

describe('summarizeTickets', () => {
  const all = rows(
    ticket({ level: 'red', near: true }),
    ticket({ level: 'yellow', near: true, overdue: true, overdue_since: 1800 }),
    ticket({ overdue: true, overdue_since: 1500, lost_contact: true }),
    ticket({ crew_confirmed: false }),
  );
  const sum = summarizeTickets(all);

  it('counts by level and by clock, an overdue ticket no longer as near', () => {
    expect(sum.open).toEqual({ red: 1, yellow: 1, blue: 2 });
    expect([sum.total, sum.near, sum.overdue, sum.oldestOverdue, sum.lostContact]).toEqual([4, 1, 2, 1500, 1]);
  });

  it('counts what its list shows', () => {
    for (const by of ['near', 'overdue', 'lost_contact'] as const) {
      const listed = all.filter(([key, { row }]) => passes({ by }, key, row)).length;
      expect(listed).toBe({ near: sum.near, overdue: sum.overdue, lost_contact: sum.lostContact }[by]);
    }
  });

  it('calls only a red ticket urgent: without a confirmed crew, or overdue', () => {
    expect([sum.urgent, sum.worst]).toEqual([0, null]);
    const urgent = summarizeTickets(
      rows(
        ticket({ level: 'red', crew_confirmed: false, received_at: 900 }),
        ticket({ level: 'red', overdue: true, overdue_since: 1900 }),
        ticket({ level: 'red' }),
      ),
    );
    expect([urgent.urgent, urgent.worst?.key]).toEqual([2, 'k1']);
  });

  it('leads with a red ticket that no crew can be proposed for, and counts what the duty manager was told', () => {
    const alone = { level: 'red', crew: null, crew_name: null, crew_confirmed: false } as const;
    const told = summarizeTickets(
      rows(
        ticket({ ...alone, overdue: true, overdue_since: 1900, escalated: true }),
        ticket({ ...alone, received_at: 1500, unproposed_since: 1600 }),
        ticket({ level: 'red', crew_confirmed: false, received_at: 900, unproposed_since: 950 }),
      ),
    );
    expect([told.urgent, told.worst?.key, told.escalated]).toEqual([3, 'k1', 1]);
  });
});

describe('summarizeCrews', () => {
  it('counts each crew on duty once, and none as free that was taken out of service', () => {
    const crew = (changes: Partial<CrewRow>): CrewRow => ({
      name: '一班', trades: [], members: 2, vehicle: '', state: 'free', ticket: null, position_lost: false,
      position_lost_since: null, shift_ends_at: null, ...changes,
    });
    const sum = summarizeCrews(
      rows(
        crew({}),
        crew({ stopped: true }),
        crew({ state: 'on_site', stopped: true }),
        crew({ state: 'en_route' }),
        crew({ position_lost: true }),
        crew({ state: 'off', stopped: true }),
      ),
    );
    expect(sum).toEqual({ onDuty: 5, free: 1, busy: 1, lost: 1, stopped: 2 });
  });
});

describe('worstIncident', () => {
  it('puts a red ticket before an outage, a late outage before a large one', () => {
    const quiet = summarizeTickets([]);
    const outages = summarizeOutages(rows(outage({ households: 900 }), outage({ expected_end_at: 900 })), 1000);
    expect([outages.count, outages.households, outages.late, outages.worst?.key]).toEqual([2, 1000, 1, 'k1']);
    expect(worstIncident(quiet, outages)).toMatchObject({ kind: 'outage', key: 'k1' });
    const red = summarizeTickets(rows(ticket({ level: 'red', crew_confirmed: false })));
    expect(worstIncident(red, outages)).toMatchObject({ kind: 'ticket', key: 'k0' });
    expect(worstIncident(quiet, summarizeOutages([], 0))).toBeNull();
  });
});

describe('roomPasses', () => {
  it('tells what is below the bound from what is only not yet cleared, and what is new', () => {
    const listed = (filter: Parameters<typeof roomPasses>[0], row: RoomRow): boolean => roomPasses(filter, 'k0', row, 5000);
    expect(listed('all', room({ celsius: 18.2 }))).toBe(true);
    expect([listed('below', room({ celsius: 18 })), listed('below', room({ celsius: 17.9 }))]).toEqual([false, true]);
    expect([listed('new', room({ since: 4399 })), listed('new', room({ since: 4400 }))]).toEqual([false, true]);
    expect([listed(['k0'], room({})), listed(['k1'], room({}))]).toEqual([true, false]);
  });
});

describe('rooms', () => {
  const all = rows(room({}), room({ building: 'b2' }), room({ building: 'b3', substation: null }));

  it('gather at their building, and at their substation when it has a place', () => {
    expect(roomsByBuilding(all).map((group) => group.points.length)).toEqual([1, 1, 1]);
    const groups = roomsBySubstation(all);
    expect(groups.map((group) => [group.key, group.points])).toEqual([
      ['s:s1', ['k0', 'k1']],
      ['b:b3', ['k2']],
    ]);
    expect([groups[0]?.lon, groups[1]?.lon]).toEqual([126.61, 126.6]);
  });
});
