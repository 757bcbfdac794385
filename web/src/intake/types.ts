// What the intake calls of the API send and answer; times are Unix seconds, money is in fen.
import type { TicketRecord } from '../lib/api';
import type { Level } from '../lib/wire';

export type RequestKind =
  | 'repair'
  | 'not_warm'
  | 'leak'
  | 'complaint'
  | 'question'
  | 'suspension'
  | 'temporary_stop'
  | 'resume'
  | 'new_connection'
  | 'refund'
  | 'temperature_adjustment'
  | 'change_of_data'
  | 'contract_closing';

export type StopKind = 'suspension' | 'temporary_stop' | 'resume';

export const KINDS: readonly RequestKind[] = [
  'not_warm',
  'leak',
  'repair',
  'complaint',
  'question',
  'suspension',
  'temporary_stop',
  'resume',
  'temperature_adjustment',
  'refund',
  'change_of_data',
  'new_connection',
  'contract_closing',
];
export const LEVELS: readonly Level[] = ['red', 'yellow', 'blue'];
export const SOURCES = ['phone', 'counter', 'app', '12345', 'property_firm', 'sentiment'] as const;
export type Source = (typeof SOURCES)[number];

/** The sources that bring a case of their own, and how the case's origin is called. */
export const CASE_ORIGIN: Partial<Record<Source, string>> = { '12345': 'hotline_12345', property_firm: 'property_firm' };

export const isStop = (kind: RequestKind | null): kind is StopKind =>
  kind === 'suspension' || kind === 'temporary_stop' || kind === 'resume';

/** A ticket as intake shows it. */
export interface Ticket extends TicketRecord {
  version: number;
  attached?: boolean;
  owner?: string | null;
  green_channel?: boolean;
  /** Why it has its level: codes of the policy. */
  reasons?: string[];
  photos?: number;
  precision?: string;
  /** How often the same fault was there within the policy's days. */
  history?: number;
  closed_at: number | null;
  possible: string[];
}

export interface HouseholdCard {
  household: string;
  building: string;
  address: string;
  lon: number | null;
  lat: number | null;
  unit: number | null;
  floor: number | null;
  flat: string | null;
  owner_name: string | null;
  owner_phone: string | null;
  is_caller: boolean;
  /** Elderly, alone, disabled or with an infant: goes first. */
  green_channel: boolean;
  area_m2: number | null;
  /** Whether the flat has a valve of its own outside the door. */
  valve: boolean;
  risers: string[];
  /** YYYY-MM-DD. */
  warranty_until: string | null;
  unpaid_fen: number | null;
  standing: string;
  valve_state: string;
  billing: string | null;
  points: { id: string; celsius: number | null; read_at: number | null }[];
}

export interface Outage {
  id: string;
  name: string;
  node_kind: string;
  buildings: number;
  households: number;
  cause: string;
  opened_at: number;
  expected_end_at: number;
  ended_at: number | null;
}

export interface Check {
  code: string;
  verdict: 'pass' | 'fail' | 'unknown';
  found: string;
  wanted: string;
  /** The written reason; none where it passed. */
  zh: string | null;
  en: string | null;
}

export interface Application {
  id: string;
  version: number;
  action: StopKind;
  household: string;
  building: string;
  address: string;
  unit: number;
  season: string;
  state: string;
  source: string;
  times: number;
  duplicate: boolean;
  checks: Check[];
  because: string[];
  applied_at: number;
  answered_at: number | null;
  took_s: number | null;
  base_fee_fen: number | null;
  base_fee_pct: number | null;
  visit_due_at: number | null;
  completed_at: number | null;
  closed_at: number | null;
}

export interface Case {
  id: string;
  origin: string;
  number: string;
  ticket: string;
  state: string;
  received_at: number;
  due_at: number | null;
  due_clock: string | null;
  near: boolean;
  overdue: boolean;
}

export interface LookUp {
  caller: { pseudonym: string; name: string | null; phone: string | null } | null;
  households: HouseholdCard[];
  /** Not all of them are here. */
  more_households: boolean;
  /** Open ones first, then those of the last 30 days. */
  tickets: Ticket[];
  outages: Outage[];
  applications: Application[];
  cases: Case[];
}

export type Wanted = { phone: string } | { name: string } | { household: string } | { building: string };

export interface Candidate {
  building: string;
  address: string;
  score: number;
  reasons: string[];
}

export interface Address {
  verdict: 'matched' | 'ambiguous' | 'unmatched';
  score: number;
  precision: string;
  building: { id: string; address: string; lon: number; lat: number } | null;
  unit: number | null;
  floor: number | null;
  flat: string | null;
  household: string | null;
  reasons: string[];
  candidates: Candidate[];
}

export interface Suggestion {
  building: string;
  address: string;
  lon?: number | null;
  lat?: number | null;
  community?: string | null;
  score: number;
  household?: string | null;
}

/** The open ticket that the request would be counted to, and what becomes of that ticket. */
export interface Attach {
  ticket: string;
  kind: RequestKind;
  level: Level;
  reports: number;
  level_after: Level;
  reports_after: number;
}

export interface Proposal {
  kind: RequestKind;
  level: Level;
  reasons: { code: string; said: string }[];
  dangers: { word: string; level: Level }[];
  place: Address | null;
  attach?: Attach | null;
}

export interface ProposeBody {
  words: string;
  kind?: RequestKind;
  household?: string;
  building?: string;
  address?: string;
  phone?: string;
}

export interface RequestBody {
  kind?: RequestKind;
  level?: Level;
  source: string;
  household?: string;
  building?: string;
  address?: string;
  caller?: { name?: string; phone?: string };
  words?: string;
  photos?: string[];
  separate?: boolean;
  accepted: boolean;
}

export interface StopBody {
  action: StopKind;
  household: string;
  applicant: { name?: string; phone?: string; certificate?: string };
  source: string;
  photos: string[];
  words?: string;
  stop_from?: number;
  stop_until?: number;
}

export interface Photo {
  id: string;
  bytes: number;
  width: number;
  height: number;
}
