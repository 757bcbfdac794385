// What a click opens: which records, named so that they can be read again when rows change.
import type { TicketRow } from '../lib/wire';

/** A list of open tickets, computed from the live rows. */
export type TicketFilter =
  | { by: 'all' | 'near' | 'overdue' | 'lost_contact' }
  | { by: 'level'; level: TicketRow['level'] }
  | { by: 'keys'; keys: readonly string[] };

export type Panel =
  | { kind: 'tickets'; filter: TicketFilter }
  | { kind: 'ticket'; id: string; from: Panel | null }
  | { kind: 'behind'; figure: 'closing' | 'requests' }
  | { kind: 'crews'; filter: 'all' | 'free' | 'busy' | 'lost' | readonly string[] }
  | { kind: 'rooms'; keys: readonly string[] | null }
  | { kind: 'outages' }
  | { kind: 'network' }
  | { kind: 'sentiment'; keys: readonly string[] | null }
  | { kind: 'cell'; key: string };

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
