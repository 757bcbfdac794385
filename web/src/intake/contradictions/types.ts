// What the calls about contradictions answer; times are Unix seconds, money is in fen.
export const KINDS = ['suspended_yet_connected', 'suspended_yet_billed', 'valve_open', 'marked_without_application'] as const;
export type Kind = (typeof KINDS)[number];

export interface Records {
  service: string;
  application: string | null;
  action: string | null;
  state: string | null;
  known_by: number | null;
  network: string | null;
  network_at: number | null;
  valve: string;
  valve_at: number | null;
  billing: string | null;
  billed_fen: number | null;
  billed_at: number | null;
}

export interface Contradiction {
  season: string;
  kind: Kind;
  household: string;
  building: string | null;
  address: string | null;
  unit: number | null;
  found_at: number;
  seen_at: number;
  records: Records;
  why_zh: string;
  why_en: string;
  mends: { action: string; zh: string; en: string }[];
  mending: string | null;
  mending_by: string | null;
  mending_at: number | null;
}

export interface Scan {
  at: number;
  season: string;
  took_ms: number;
  households: number;
  found: number;
  new: number;
  gone: number;
  by: string;
}

export interface ContradictionPage {
  items: Contradiction[];
  next: string | null;
  total: number;
  by_kind: Record<string, number>;
  scan: Scan | null;
}

export type Cell = 'service' | 'application' | 'network' | 'valve' | 'billing';

/** The records that cannot all be true at once. */
export function contradicting(kind: Kind, records: Records): ReadonlySet<Cell> {
  switch (kind) {
    case 'suspended_yet_connected':
      return new Set<Cell>(['service', 'network']);
    case 'suspended_yet_billed':
      return new Set<Cell>(['service', 'billing']);
    case 'valve_open':
      return new Set<Cell>(['service', 'valve']);
    case 'marked_without_application': {
      const marks = new Set<Cell>(['application']);
      if (records.service !== 'heated') marks.add('service');
      if (records.network === 'disconnected') marks.add('network');
      if (records.valve === 'sealed') marks.add('valve');
      // What a flat owes that is heated again is policy: only without any grant is it a mark.
      if (records.application === null && (records.billing === 'base' || records.billing === 'none')) marks.add('billing');
      return marks;
    }
  }
}
