// What the suspension calls answer beyond what a call's page reads; times are Unix seconds, money is in fen.
import type { Traced } from '../../lib/api';
import type { Application } from '../types';

export type Department = 'service' | 'operations' | 'finance';
export type Valve = 'open' | 'closed' | 'sealed' | 'unknown';
export const DEPARTMENTS: readonly Department[] = ['service', 'operations', 'finance'];

export interface Stop extends Omit<Application, 'unit'> {
  unit: number | null;
  photos: string[];
  stop_from: number | null;
  stop_until: number | null;
  answered_by: string | null;
  visit: string | null;
  valve: Valve | null;
  seal: string | null;
  known_by: number | null;
  known: Department[];
  /** Who must still take note. */
  awaited: Department[];
  late: boolean;
  possible: string[];
  policy: string;
}

export interface StopRecord extends Omit<Traced, 'trace'> {
  application: Stop;
  trace: { stream: string; version: number; kind: string; actor: string; business_at: number; grounds: string | null; event: Record<string, unknown> }[];
  words: string | null;
  reason: string | null;
}

export interface Summary {
  season: string;
  /** YYYY-MM-DD, included. */
  deadline: string;
  days_left: number;
  states: Record<string, number>;
  today: number;
  answered: number;
  answered_automatically: number;
  took_median_s: number | null;
  took_p95_s: number | null;
  visits_open: number;
  visits_late: number;
  known_late: number;
  per_day: { day: string; n: number }[];
}

export const OUTCOMES = ['closed', 'sealed', 'open', 'nobody_home', 'no_valve_found', 'entry_refused', 'other'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface VisitHome {
  household: string;
  flat: string | null;
  /** The building it has moved to in the register since the visit was planned. */
  moved?: string | null;
  application: string;
  state: 'waiting' | 'done' | 'missed' | 'left';
  misses: number;
  why: string | null;
}

export interface Visit {
  id: string;
  version: number;
  action: 'close' | 'open';
  building: string | null;
  address: string;
  unit: number | null;
  risers: string[];
  households: VisitHome[];
  done: number;
  due_at: number;
  late: boolean;
  planned_at: number;
  made_at: number | null;
}

export interface VisitRecord extends Traced {
  visit: Visit;
}
