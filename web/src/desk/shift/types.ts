// What handover and morning report answer; times are Unix seconds.
import type { Clock, Level } from '../../lib/wire';

export interface HandedTicket {
  ticket: string;
  version: number;
  level: Level;
  kind: string;
  address: string;
  state: string;
  crew_name: string | null;
  due_clock: Clock | null;
  due_at: number | null;
  overdue: boolean;
}

export interface Drawn {
  reds: HandedTicket[];
  overdue: HandedTicket[];
  outages: { outage: string; name: string; node: string; buildings: number; households: number; opened_at: number; expected_end_at: number }[];
  silent: { crew: string; name: string; since: number; ticket: string | null }[];
  lost: HandedTicket[];
  promises: { what: string; ticket: string; address: string; by_at: number }[];
  open: Record<Level, number>;
}

export type Side = 'leaving' | 'coming';

export interface Handover {
  id: string;
  version: number;
  drawn_at: number;
  by: string;
  drawn: Drawn;
  note: string | null;
  signed: Partial<Record<Side, { by: string; at: number }>>;
  complete: boolean;
}

export interface Figure {
  name: string;
  group: string;
  zh: string;
  en: string;
  unit_zh: string;
  unit_en: string;
  value: number | null;
}

export interface Report {
  day: string;
  version: number;
  frozen_at: number;
  report: {
    from_at: number;
    until_at: number;
    by_crew: { crew: string; name: string; dispatched: number; confirmed: number; on_site: number; finished: number }[];
    reds: HandedTicket[];
  };
  remarks: { text: string; by: string }[];
  figures: Figure[];
}
