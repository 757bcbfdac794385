// The wall's figures, computed from the same rows that the map draws; nothing here reads a clock.
import type { Entry } from '../lib/live/topic';
import type { CrewRow, Level, OutageRow, RoomRow, SentimentRow, TicketRow } from '../lib/wire';

type Rows<Row> = Iterable<[string, Entry<Row>]>;

export type Incident =
  | { kind: 'ticket'; key: string; row: TicketRow }
  | { kind: 'outage'; key: string; row: OutageRow };

export interface TicketSummary {
  total: number;
  open: Record<Level, number>;
  near: number;
  overdue: number;
  /** Business time of the oldest passed deadline, Unix seconds. */
  oldestOverdue: number | null;
  lostContact: number;
  /** Told to the duty manager. */
  escalated: number;
  /** Red tickets without a confirmed crew, or overdue: what a person must act on. */
  urgent: number;
  worst: { key: string; row: TicketRow } | null;
}

export const isUrgent = (row: TicketRow): boolean => row.level === 'red' && (row.overdue || !row.crew_confirmed);

/** No crew can be proposed for it: only a person can help. */
export const withoutCrew = (row: TicketRow): boolean => row.crew === null && row.unproposed_since != null;

function urgency(row: TicketRow): number {
  return (withoutCrew(row) ? 4 : 0) + (row.overdue ? 2 : 0) + (row.crew_confirmed ? 0 : 1);
}

export function summarizeTickets(rows: Rows<TicketRow>): TicketSummary {
  const sum: TicketSummary = {
    total: 0,
    open: { red: 0, yellow: 0, blue: 0 },
    near: 0,
    overdue: 0,
    oldestOverdue: null,
    lostContact: 0,
    escalated: 0,
    urgent: 0,
    worst: null,
  };
  for (const [key, { row }] of rows) {
    sum.total += 1;
    sum.open[row.level] += 1;
    if (row.near && !row.overdue) sum.near += 1;
    if (row.lost_contact) sum.lostContact += 1;
    if (row.escalated === true) sum.escalated += 1;
    if (row.overdue) {
      sum.overdue += 1;
      const since = row.overdue_since;
      if (since !== null && (sum.oldestOverdue === null || since < sum.oldestOverdue)) sum.oldestOverdue = since;
    }
    if (isUrgent(row)) {
      sum.urgent += 1;
      const worst = sum.worst?.row;
      const worse =
        worst === undefined ||
        urgency(row) > urgency(worst) ||
        (urgency(row) === urgency(worst) && row.received_at < worst.received_at);
      if (worse) sum.worst = { key, row };
    }
  }
  return sum;
}

export type CrewPart = 'free' | 'busy' | 'lost' | 'stopped';

/** What a crew on duty counts as; null: it is off. One that was taken out of service is not free, whatever it does. */
export function crewPart(row: CrewRow): CrewPart | null {
  if (row.state === 'off') return null;
  if (row.stopped === true) return 'stopped';
  if (row.position_lost) return 'lost';
  return row.state === 'free' ? 'free' : 'busy';
}

export interface CrewSummary {
  onDuty: number;
  free: number;
  busy: number;
  lost: number;
  stopped: number;
}

export function summarizeCrews(rows: Rows<CrewRow>): CrewSummary {
  const sum: CrewSummary = { onDuty: 0, free: 0, busy: 0, lost: 0, stopped: 0 };
  for (const [, { row }] of rows) {
    const part = crewPart(row);
    if (part === null) continue;
    sum.onDuty += 1;
    sum[part] += 1;
  }
  return sum;
}

export interface OutageSummary {
  count: number;
  households: number;
  late: number;
  worst: { key: string; row: OutageRow } | null;
}

export function summarizeOutages(rows: Rows<OutageRow>, now: number): OutageSummary {
  const sum: OutageSummary = { count: 0, households: 0, late: 0, worst: null };
  for (const [key, { row }] of rows) {
    sum.count += 1;
    sum.households += row.households;
    if (row.expected_end_at < now) sum.late += 1;
    const worst = sum.worst?.row;
    const [late, worstLate] = [row.expected_end_at < now, worst !== undefined && worst.expected_end_at < now];
    if (worst === undefined || (late && !worstLate) || (late === worstLate && row.households > worst.households)) {
      sum.worst = { key, row };
    }
  }
  return sum;
}

export interface SentimentSummary {
  communities: number;
  mentions: number;
  negative: number;
  spikes: number;
  worst: SentimentRow | null;
}

export function summarizeSentiment(rows: Rows<SentimentRow>): SentimentSummary {
  const sum: SentimentSummary = { communities: 0, mentions: 0, negative: 0, spikes: 0, worst: null };
  for (const [, { row }] of rows) {
    sum.communities += 1;
    sum.mentions += row.mentions;
    sum.negative += row.negative;
    if (!row.spike) continue;
    sum.spikes += 1;
    if (sum.worst === null || row.negative > sum.worst.negative) sum.worst = row;
  }
  return sum;
}

/** The one incident of the banner: a red ticket that a person must act on, else the worst outage. */
export function worstIncident(tickets: TicketSummary, outages: OutageSummary): Incident | null {
  if (tickets.worst !== null) return { kind: 'ticket', ...tickets.worst };
  if (outages.worst !== null) return { kind: 'outage', ...outages.worst };
  return null;
}

export interface RoomGroup {
  key: string;
  name: string | null;
  lon: number;
  lat: number;
  points: string[];
}

/** Alarms gathered at their substation; a point whose substation has no place stays at its building. */
export function roomsBySubstation(rows: Rows<RoomRow>): RoomGroup[] {
  return group(rows, (row) =>
    row.substation !== null && row.substation_lon !== null && row.substation_lat !== null
      ? { key: `s:${row.substation}`, name: row.substation_name, lon: row.substation_lon, lat: row.substation_lat }
      : { key: `b:${row.building}`, name: row.address, lon: row.lon, lat: row.lat },
  );
}

export function roomsByBuilding(rows: Rows<RoomRow>): RoomGroup[] {
  return group(rows, (row) => ({ key: `b:${row.building}`, name: row.address, lon: row.lon, lat: row.lat }));
}

function group(rows: Rows<RoomRow>, place: (row: RoomRow) => Omit<RoomGroup, 'points'>): RoomGroup[] {
  const groups = new Map<string, RoomGroup>();
  for (const [key, { row }] of rows) {
    const at = place(row);
    const found = groups.get(at.key);
    if (found === undefined) groups.set(at.key, { ...at, points: [key] });
    else found.points.push(key);
  }
  return [...groups.values()];
}
