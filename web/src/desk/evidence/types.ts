// What the server says of the work on site of one ticket; times are Unix seconds, those named `_ms` milliseconds.
import type { Level } from '../../lib/wire';

export type Outcome = 'pass' | 'warn' | 'fail' | 'unknown';
export type Allowed = 'accept' | 'refuse' | 'again' | 'check-in' | 'waive';
export type SlotState = 'owed' | 'again' | 'pending' | 'accept' | 'review' | 'block';

/** A sentence in both languages. */
export interface Said {
  zh: string;
  en: string;
}

export interface Fix {
  lon: number;
  lat: number;
  accuracy_m: number;
  at_ms: number;
  battery_pct?: number | null;
}

export interface Check extends Said {
  code: string;
  outcome: Outcome;
  name_zh: string;
  name_en: string;
}

export interface Decided {
  what: string;
  at: number;
  by: string;
  reason_code: string;
}

export interface Suspect {
  photo: string;
  ticket: string;
  slot: string;
  bits?: number | null;
  inliers?: number | null;
  crew?: string | null;
  at?: number | null;
  same_ticket?: boolean;
}

export interface ClockSaid {
  clock: 'server' | 'session' | 'camera' | 'satellites';
  at_ms: number | null;
}

export interface SitePhoto {
  photo: string;
  round: number;
  crew: string;
  taken_at: number;
  visit?: number | null;
  trust: 'a' | 'b' | 'c';
  verdict?: 'accept' | 'review' | 'block' | null;
  unjudged?: boolean;
  overruled?: boolean;
  again?: boolean;
  slot_zh: string;
  slot_en: string;
  bytes?: number;
  fix?: Fix | null;
  checks?: Check[];
  why_unjudged?: Said | null;
  clocks?: ClockSaid[];
  suspect?: Suspect | null;
  decided?: Decided[];
  gone?: number | null;
  may?: Allowed[];
}

export interface Pressed extends Said {
  at: number;
  at_device_ms: number;
  fix: Fix | null;
  verdict: 'in' | 'out' | 'uncertain';
  distance_m: number | null;
  doubts: (Said & { code: string })[];
}

export interface RawFix {
  at_ms: number;
  lon: number;
  lat: number;
  accuracy_m: number;
  verdict: string;
}

export interface Visit {
  visit: number;
  round: number;
  crew: string;
  crew_name: string;
  in_at: number;
  out_at?: number | null;
  verdict: 'in' | 'out' | 'uncertain';
  needs_review: boolean;
  result?: string | null;
  entered?: Pressed | null;
  left?: Pressed | null;
  decided?: Decided[];
  fixes?: RawFix[];
}

type Area = { type: 'Polygon'; coordinates: number[][][] } | { type: 'MultiPolygon'; coordinates: number[][][][] };

export interface Fence {
  lon: number;
  lat: number;
  within_m: number;
  /** The building's, GeoJSON in WGS-84. */
  outline: Area | null;
  /** So far from the outline, or from the place where there is none. */
  border: Area;
}

export interface EvidenceRecord {
  ticket: { id: string; state: string; kind: string; level: Level; address: string; crew_name: string | null };
  version: number;
  round: number;
  verdict: 'not_owed' | 'missing' | 'pending' | 'accept' | 'review' | 'block';
  slots: Record<string, SlotState>;
  missing: string[];
  site_review: boolean;
  waived: boolean;
  visits: Visit[];
  photos: Record<string, SitePhoto>;
  fence: Fence;
  may: Allowed[];
}

/** Points that both pictures show, each 0 to 1 of its picture's size; none where one is the other's mirror image. */
export interface Match {
  points: { x: number; y: number; twin_x: number; twin_y: number }[];
}

/** A crew's month. `low` to `high`: where its true share of doubtful tickets lies, by the report's `level`. */
export interface CrewMonth extends Said {
  crew: string;
  crew_name: string;
  tickets: number;
  visits: number;
  photos: number;
  blocked: number;
  freed: number;
  refused: number;
  waived: number;
  out: number;
  doubtful: number;
  share: number | null;
  low: number;
  high: number;
  /** The probability that its share is above that of the others. */
  above: number;
  finding: 'above' | 'below' | 'like' | 'too_few';
  /** Its doubtful tickets, the newest first; at most 200. */
  in_doubt: string[];
}

export interface ShamReport {
  month: string;
  level: number;
  tickets: number;
  doubtful: number;
  crews: CrewMonth[];
}
