// What a click opens: which records, named so that they can be read again when rows change.
import type { RoomRow, TicketRow } from '../lib/wire';
import type { CrewPart } from './summary';

/** A list of open tickets, computed from the live rows. */
export type TicketFilter =
  | { by: 'all' | 'near' | 'overdue' | 'lost_contact' }
  | { by: 'level'; level: TicketRow['level'] }
  | { by: 'keys'; keys: readonly string[] };

/** What has a record of its own. */
export type RecordOf = 'ticket' | 'outage' | 'point' | 'node' | 'community' | 'cell';

export type Panel =
  | { kind: 'tickets'; filter: TicketFilter }
  | { kind: 'record'; of: RecordOf; id: string; from: Panel | null }
  | { kind: 'behind'; figure: 'closing' | 'requests' }
  | { kind: 'crews'; filter: 'all' | CrewPart | readonly string[] }
  | { kind: 'rooms'; filter: RoomFilter }
  | { kind: 'outages'; keys: readonly string[] | null }
  | { kind: 'network' }
  | { kind: 'sentiment' };

/** Room alarms: all, those below the bound now, those of the last ten minutes, or these. */
export type RoomFilter = 'all' | 'below' | 'new' | readonly string[];

const NEW_FOR_S = 600;

export const recordOf = (of: RecordOf, id: string, from: Panel | null = null): Panel => ({ kind: 'record', of, id, from });

/** `now`: business time, Unix seconds. */
export function roomPasses(filter: RoomFilter, key: string, row: RoomRow, now: number): boolean {
  if (filter === 'all') return true;
  if (filter === 'below') return row.celsius < row.bound_c;
  if (filter === 'new') return row.since >= now - NEW_FOR_S;
  return filter.includes(key);
}

export function passes(filter: TicketFilter, key: string, row: TicketRow): boolean {
  switch (filter.by) {
    case 'all':
      return true;
    case 'near':
      return row.near && !row.overdue;
    case 'overdue':
      return row.overdue;
    case 'lost_contact':
      return row.lost_contact;
    case 'level':
      return row.level === filter.level;
    case 'keys':
      return filter.keys.includes(key);
  }
}
