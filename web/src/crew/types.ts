// What the phone is told of its day, and what it keeps of what was said on it.

export type Slot =
  | 'fault_point' | 'in_progress' | 'user_confirmation' | 'room' | 'thermometer' | 'windows' | 'signature'
  | 'second_person' | 'door' | 'notice';
/** `taken`: on this phone, not yet at the server; the others are the server's. */
export type SlotState = 'owed' | 'again' | 'taken' | 'pending' | 'accept' | 'review' | 'block';

export interface SlotView {
  slot: Slot;
  state: SlotState;
  /** Codes; the words are made here. */
  why: string[];
}

export interface ValveView {
  id: string;
  /** Of a node of the heat tree; null: the crew named it. */
  kind: string | null;
  name: string;
  lon: number | null;
  lat: number | null;
  /** `unvented`: open again, and the pipe was not vented. */
  state: 'open' | 'closed' | 'unvented';
  /** Flats that it feeds, where known. */
  homes?: number | null;
  /** When the outage that it opened is expected to end, while it is shut. */
  until_at?: number | null;
}

export interface CheckIn {
  in_at: number;
  verdict?: string;
  distance_m?: number | null;
  needs_review?: boolean;
}

/** An earlier ticket of the flat or the building. */
export interface Earlier {
  kind: string;
  received_at: number;
  same_flat: boolean;
}

/** Times are Unix seconds of business time. */
export interface Visit {
  ticket: string;
  version: number;
  state: string;
  kind: string;
  level: 'red' | 'yellow' | 'blue';
  order: number;
  start_at: number | null;
  until_at: number | null;
  with_crew: string | null;
  address: string;
  flat: { unit: number; floor: number; flat: string } | null;
  lon: number;
  lat: number;
  words: string[];
  resident: { name: string | null; phone: string | null } | null;
  due_at: number | null;
  appointed: { from_at: number; until_at: number } | null;
  green_channel: boolean;
  dangers: string[];
  parts: Record<string, number>;
  valves: ValveView[];
  /** What the evidence comes to: not_owed, missing, pending, accept, review or block. */
  verdict: string;
  slots: SlotView[];
  nonces: Partial<Record<Slot, string[]>>;
  unnamed: boolean;
  check_in: CheckIn | null;
  unanswered: number;
  photos_waived: boolean;
  history: Earlier[];
}

/** Business time is `at_ms + (Date.now() - system_ms) * rate`: a demo's runs faster and elsewhere. */
export interface ClockView {
  at_ms: number;
  system_ms: number;
  rate: number;
}

export interface Today {
  crew: string;
  name: string;
  on_duty: boolean;
  clock: ClockView;
  visits: Visit[];
  /** What the plan has next, told once no visit is left. */
  next: { address: string; start_at: number; kind: string } | null;
}

/** `Today` as it was heard; `asked_at`: by this phone's clock, ms, when it was asked for. */
export interface HeardToday {
  etag: string;
  asked_at: number;
  today: Today;
}

export interface Fix {
  lon: number;
  lat: number;
  datum: 'wgs84';
  accuracy_m: number;
  at_ms: number;
  battery_pct?: number;
}

export type Step =
  | 'accept' | 'en-route' | 'check-in' | 'check-out' | 'done' | 'no-answer' | 'refuse' | 'support' | 'hazard' | 'valve'
  | 'parts-used';

export interface Refusal {
  status: number;
  code: string;
  detail: string;
  what_to_do: string;
}

interface Queued {
  /** Rises with every op of this phone: the order in which they were said. */
  id: number;
  /** The Idempotency-Key: the same however often it is sent. */
  key: string;
  crew: string;
  ticket: string;
  /** By this phone's own clock, ms. */
  said_at: number;
  state: 'queued' | 'sending' | 'refused' | 'done';
  tries: number;
  /** Not before this time by the phone's clock. */
  next_at: number;
  refusal: Refusal | null;
  /** By the phone's clock, when the server answered. */
  done_at: number | null;
}

export interface StepOp extends Queued {
  what: Step;
  body: Record<string, unknown>;
  /** The `sent_at_ms` of earlier tries: one of them may have arrived with its answer lost. */
  sent: number[];
}

export interface PhotoBody {
  slot: Slot;
  sha256: string;
  bytes: number;
  media_type: string;
  source: 'camera' | 'gallery';
  captured_at_ms?: number;
  visit?: string;
  nonce?: string;
  signature?: string;
  fix?: Fix;
}

export interface PhotoOp extends Queued {
  what: 'photo';
  body: PhotoBody;
  upload: string | null;
  have: number;
  said: string[];
  /** As of steps; an earlier app did not keep them. */
  sent?: number[];
}

export type Op = StepOp | PhotoOp;
export type NewOp = Pick<StepOp, 'what' | 'ticket' | 'body'> | Pick<PhotoOp, 'what' | 'ticket' | 'body'>;
