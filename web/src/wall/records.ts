// The records behind a figure or mark, computed from the same rows that the figure counts.
import { count, decimal, duration, moment } from '../lib/format';
import { word } from '../lib/i18n.svelte';
import type { Messages } from '../lib/messages/zh';
import type { Level, TicketRow } from '../lib/wire';
import type { TicketPage } from '../lib/api';
import { passes, recordOf, roomPasses, type Panel } from './panel';
import { crewPart } from './summary';
import type { Wall } from './wall.svelte';

/** More rows than this are counted, not listed: a wall is read, not searched. */
const AT_MOST = 200;
/** The server's largest page. */
export const PAGE = 500;

export interface Cell {
  text: string;
  level?: Level;
  tone?: 'red' | 'yellow' | 'cold' | 'pink';
  /** Set to the right, as figures are. */
  number?: boolean;
  /** Its words lead to what the row opens. */
  leads?: boolean;
}

export interface RecordRow {
  key: string;
  cells: Cell[];
  opens?: Panel;
}

export interface RecordList {
  title: string;
  columns: { name: string; number?: boolean }[];
  rows: RecordRow[];
  total: number;
}

interface Words {
  t: Messages;
  now: number;
  when(unix: number | null): string;
}

const words = (wall: Wall, t: Messages): Words => ({
  t,
  now: wall.now,
  when: (unix) => (unix === null ? t.dash : moment(unix, wall.now, wall.session.company.timezone, t)),
});

const byUrgency = (a: [string, TicketRow], b: [string, TicketRow]): number =>
  Number(b[1].overdue) - Number(a[1].overdue) ||
  (a[1].overdue_since ?? a[1].due_at ?? Infinity) - (b[1].overdue_since ?? b[1].due_at ?? Infinity) ||
  (a[0] < b[0] ? -1 : 1);

function due(row: TicketRow, { t, now }: Words): Cell {
  if (row.overdue && row.overdue_since !== null) {
    const clock = row.due_clock === null ? '' : t.clock[row.due_clock];
    return { text: t.clockPassed(clock, duration(now - row.overdue_since, t)), tone: 'red' };
  }
  if (row.due_at === null || row.due_clock === null) return { text: t.noClock };
  const cell: Cell = { text: `${t.clock[row.due_clock]} ${t.dueIn(duration(row.due_at - now, t))}` };
  return row.near ? { ...cell, tone: 'yellow' } : cell;
}

function ticketList(
  title: string,
  tickets: [string, TicketRow][],
  wall: Wall,
  t: Messages,
  from: Panel,
  most = AT_MOST,
): RecordList {
  const w = words(wall, t);
  const names = [t.colLevel, t.colPlace, t.colWhat, t.colState, t.colDue, t.colCrew, t.colReceived];
  return {
    title,
    columns: [...names.map((name) => ({ name })), { name: t.colReports, number: true }],
    total: tickets.length,
    rows: tickets
      .sort(byUrgency)
      .slice(0, most)
      .map(([key, row]) => ({
        key,
        opens: recordOf('ticket', key, from),
        cells: [
          { text: t.level[row.level], level: row.level },
          { text: row.address, leads: true },
          { text: word(t.kind, row.kind) },
          row.lost_contact ? { text: t.lostContact, tone: 'yellow' } : { text: t.state[row.state] },
          due(row, w),
          { text: row.crew_name ?? t.dash },
          { text: w.when(row.received_at) },
          { text: count(row.reports), number: true },
        ],
      })),
  };
}

/** What the server counted for a figure: `total` is of all pages, the rows are of the page read. */
export function behindList(page: TicketPage, wall: Wall, t: Messages, panel: Panel & { kind: 'behind' }): RecordList {
  const tickets = page.items.map((item): [string, TicketRow] => [item.id, item]);
  const counted = t.requestsInTickets(count(page.reports), count(page.total));
  const title = panel.figure === 'requests' ? counted : t.closingRate;
  return { ...ticketList(title, tickets, wall, t, panel, PAGE), total: page.total };
}

function tickets(panel: Panel & { kind: 'tickets' }, wall: Wall, t: Messages): RecordList {
  const { filter } = panel;
  const titles = { all: t.openTickets, near: t.near, overdue: t.overdue, lost_contact: t.lostContact, keys: t.openTickets };
  const title = filter.by === 'level' ? `${t.openTickets}${t.dot}${t.level[filter.level]}` : titles[filter.by];
  const chosen: [string, TicketRow][] = [];
  const rows = wall.live.rows('tickets');
  if (filter.by === 'keys') {
    for (const key of filter.keys) {
      const row = rows.get(key)?.row;
      if (row !== undefined) chosen.push([key, row]);
    }
  } else {
    for (const [key, { row }] of rows) if (passes(filter, key, row)) chosen.push([key, row]);
  }
  return ticketList(title, chosen, wall, t, panel);
}

function crews(panel: Panel & { kind: 'crews' }, wall: Wall, t: Messages): RecordList {
  const w = words(wall, t);
  const { filter } = panel;
  const names = { all: t.onDuty(wall.crews.onDuty), free: t.free, busy: t.busy, lost: t.positionLost, stopped: t.stopped };
  const rows = [...wall.live.rows('crews')].filter(([key, { row }]) => {
    if (typeof filter !== 'string') return filter.includes(key);
    const part = crewPart(row);
    return part !== null && (filter === 'all' || filter === part);
  });
  return {
    title: typeof filter === 'string' ? `${t.crews}${t.dot}${names[filter]}` : t.crews,
    columns: [
      { name: t.colCrew },
      { name: t.colWhat },
      { name: t.colMembers, number: true },
      { name: t.colState },
      { name: t.colTask },
      { name: t.colLastSeen },
    ],
    total: rows.length,
    rows: rows.slice(0, AT_MOST).map(([key, { row }]) => {
      const seen = wall.live.rows('positions').get(key)?.row.fixed_at ?? null;
      const record: RecordRow = {
        key,
        cells: [
          { text: row.name, leads: true },
          { text: row.trades.map((trade) => word(t.trade, trade)).join(' ') },
          { text: t.people(row.members), number: true },
          row.stopped === true ? { text: t.stopped } : row.position_lost ? { text: t.positionLost, tone: 'yellow' } : { text: t.crewState[row.state] },
          { text: row.ticket ?? t.dash },
          { text: seen === null ? t.dash : `${w.when(seen)} (${t.ago(duration(w.now - seen, t))})` },
        ],
      };
      return row.ticket === null ? record : { ...record, opens: recordOf('ticket', row.ticket, panel) };
    }),
  };
}

function rooms(panel: Panel & { kind: 'rooms' }, wall: Wall, t: Messages): RecordList {
  const w = words(wall, t);
  const { filter } = panel;
  const names = { all: t.activeAlarms, below: t.belowNow, new: t.newAlarms };
  const rows = [...wall.live.rows('rooms')]
    .filter(([key, { row }]) => roomPasses(filter, key, row, w.now))
    .sort(([, a], [, b]) => a.row.celsius - b.row.celsius);
  return {
    title: typeof filter === 'string' ? `${t.roomAlarms}${t.dot}${names[filter]}` : t.roomAlarms,
    columns: [
      { name: t.colTemperature, number: true },
      { name: t.colBound, number: true },
      { name: t.colPlace },
      { name: t.colSubstation },
      { name: t.colSince },
      { name: t.colTold },
    ],
    total: rows.length,
    rows: rows.slice(0, AT_MOST).map(([key, { row }]) => ({
      key,
      opens: recordOf('point', key, panel),
      cells: [
        { text: `${decimal(row.celsius)} °C`, tone: 'cold', number: true },
        { text: `${decimal(row.bound_c)} °C`, number: true },
        { text: row.address, leads: true },
        { text: row.substation_name ?? t.dash },
        { text: w.when(row.since) },
        { text: w.when(row.read_at) },
      ],
    })),
  };
}

function outages(panel: Panel & { kind: 'outages' }, wall: Wall, t: Messages): RecordList {
  const w = words(wall, t);
  const rows = [...wall.live.rows('outages')]
    .filter(([key]) => panel.keys === null || panel.keys.includes(key))
    .sort(([, a], [, b]) => b.row.households - a.row.households);
  return {
    title: t.outages,
    columns: [
      { name: t.colPlace },
      { name: t.colCause },
      { name: t.colHouseholds, number: true },
      { name: t.colSince },
      { name: t.colEnd },
    ],
    total: rows.length,
    rows: rows.slice(0, AT_MOST).map(([key, { row }]) => ({
      key,
      opens: recordOf('outage', key, panel),
      cells: [
        { text: `${row.name} (${t.nodeKind[row.node_kind]})`, leads: true },
        { text: word(t.cause, row.cause) },
        { text: count(row.households), number: true },
        { text: w.when(row.opened_at) },
        row.expected_end_at < w.now
          ? { text: t.outageLate(duration(w.now - row.expected_end_at, t)), tone: 'red' }
          : { text: w.when(row.expected_end_at) },
      ],
    })),
  };
}

function network(panel: Panel & { kind: 'network' }, wall: Wall, t: Messages): RecordList {
  const w = words(wall, t);
  const celsius = (n: number | null): string => (n === null ? t.dash : `${decimal(n)} °C`);
  const rows = [...wall.live.rows('network')].sort(
    ([, a], [, b]) => Number(b.row.low) - Number(a.row.low) || (a.row.supply_c ?? Infinity) - (b.row.supply_c ?? Infinity),
  );
  return {
    title: t.supply,
    columns: [
      { name: t.colPlace },
      { name: t.colSupply, number: true },
      { name: t.colBound, number: true },
      { name: t.colReturn, number: true },
      { name: t.colRead },
    ],
    total: rows.length,
    rows: rows.slice(0, AT_MOST).map(([key, { row }]) => ({
      key,
      opens: recordOf('node', key, panel),
      cells: [
        { text: `${row.name} (${t.nodeKind[row.node_kind]})`, leads: true },
        { text: celsius(row.supply_c), number: true, ...(row.low ? { tone: 'yellow' as const } : {}) },
        { text: celsius(row.supply_low_c), number: true },
        { text: celsius(row.return_c), number: true },
        { text: w.when(row.read_at) },
      ],
    })),
  };
}

function sentiment(panel: Panel & { kind: 'sentiment' }, wall: Wall, t: Messages): RecordList {
  const w = words(wall, t);
  const rows = [...wall.live.rows('sentiment')].sort(
    ([, a], [, b]) => Number(b.row.spike) - Number(a.row.spike) || b.row.negative - a.row.negative,
  );
  return {
    title: t.sentiment,
    columns: [
      { name: t.colPlace },
      { name: t.colNegative, number: true },
      { name: t.colMentions, number: true },
      { name: t.colValue, number: true },
      { name: t.colTopic },
      { name: t.spikes },
    ],
    total: rows.length,
    rows: rows.slice(0, AT_MOST).map(([key, { row }]) => ({
      key,
      opens: recordOf('community', key, panel),
      cells: [
        { text: row.name, leads: true },
        { text: count(row.negative), number: true },
        { text: count(row.mentions), number: true },
        { text: decimal(row.mean_value, 2), number: true },
        { text: word(t.sentimentTopic, row.top_topic) },
        row.spike ? { text: w.when(row.spike_since), tone: 'pink' } : { text: t.dash },
      ],
    })),
  };
}

/** What a panel lists now; null for the panels that ask the server. */
export function recordsOf(panel: Panel, wall: Wall, t: Messages): RecordList | null {
  switch (panel.kind) {
    case 'tickets':
      return tickets(panel, wall, t);
    case 'crews':
      return crews(panel, wall, t);
    case 'rooms':
      return rooms(panel, wall, t);
    case 'outages':
      return outages(panel, wall, t);
    case 'network':
      return network(panel, wall, t);
    case 'sentiment':
      return sentiment(panel, wall, t);
    case 'record':
    case 'behind':
      return null;
  }
}
