// The rows and messages of the wire, as realtime/messages.py and realtime/layers/rows.py declare them.

export type Level = 'red' | 'yellow' | 'blue';
export type TicketState =
  | 'received'
  | 'accepted'
  | 'dispatched'
  | 'confirmed'
  | 'handling'
  | 'verifying'
  | 'closed'
  | 'cancelled';
export type Clock = 'first_contact' | 'respond' | 'on_site' | 'solved';

export interface TicketRow {
  kind: string;
  level: Level;
  state: TicketState;
  lon: number;
  lat: number;
  address: string;
  building: string | null;
  community: string | null;
  district: string | null;
  source: string;
  received_at: number;
  due_at: number | null;
  due_clock: Clock | null;
  near: boolean;
  overdue: boolean;
  overdue_since: number | null;
  lost_contact: boolean;
  crew: string | null;
  crew_name: string | null;
  crew_confirmed: boolean;
  outage: string | null;
  reports: number;
}

export interface CrewRow {
  name: string;
  trades: string[];
  members: number;
  vehicle: string;
  state: 'off' | 'free' | 'dispatched' | 'en_route' | 'on_site';
  ticket: string | null;
  position_lost: boolean;
  position_lost_since: number | null;
  shift_ends_at: number | null;
}

export interface PositionRow {
  lon: number;
  lat: number;
  accuracy_m: number;
  heading_deg: number | null;
  speed_mps: number | null;
  fixed_at: number;
}

export interface RoomRow {
  celsius: number;
  bound_c: number;
  since: number;
  read_at: number;
  lon: number;
  lat: number;
  address: string;
  building: string;
  community: string | null;
  substation: string | null;
  substation_name: string | null;
  substation_lon: number | null;
  substation_lat: number | null;
}

export interface ArrearsRow {
  size_m: 100 | 200 | 400 | 800;
  west: number;
  south: number;
  east: number;
  north: number;
  band: 1 | 2 | 3 | 4 | 5;
  published_at: number;
}

export interface SentimentRow {
  name: string;
  lon: number;
  lat: number;
  radius_m: number;
  mentions: number;
  negative: number;
  mean_value: number;
  top_topic: string;
  spike: boolean;
  spike_since: number | null;
}

export interface OutageRow {
  name: string;
  node_kind: 'plant' | 'substation' | 'building';
  lon: number;
  lat: number;
  buildings: number;
  households: number;
  cause: string;
  opened_at: number;
  expected_end_at: number;
}

export interface NetworkRow {
  name: string;
  node_kind: 'plant' | 'substation';
  lon: number;
  lat: number;
  supply_c: number | null;
  return_c: number | null;
  supply_low_c: number;
  low: boolean;
  read_at: number | null;
}

export interface HourCount {
  hour_at: number;
  count: number | null;
  usual_low: number | null;
  usual: number | null;
  usual_high: number | null;
}

export interface WeatherFigure {
  figure: 'weather';
  outdoor_c: number;
  feels_c: number | null;
  wind_mps: number | null;
  wind_from_deg: number | null;
  observed_at: number;
}

export interface RequestsFigure {
  figure: 'requests';
  this_hour: number;
  per_hour: number;
  usual_per_hour: number | null;
  hours: HourCount[];
}

export interface ClosingFigure {
  figure: 'closing';
  due: number;
  closed: number;
  closed_today: number;
  received_today: number;
  target_pct: number;
}

export interface RoomsFigure {
  figure: 'rooms';
  points: number;
  online: number;
  below: number;
  new_10min: number;
  bound_c: number;
  flood_limit_10min: number;
}

export interface SupplyFigure {
  figure: 'supply';
  median_c: number | null;
  lowest_c: number | null;
  lowest_name: string | null;
  reporting: number;
  substations: number;
  low: number;
}

export type FigureRow = WeatherFigure | RequestsFigure | ClosingFigure | RoomsFigure | SupplyFigure;

export interface HappeningRow {
  what:
    | 'ticket_received'
    | 'ticket_accepted'
    | 'ticket_dispatched'
    | 'ticket_confirmed'
    | 'ticket_handling'
    | 'ticket_verifying'
    | 'ticket_closed'
    | 'ticket_cancelled'
    | 'ticket_reopened'
    | 'ticket_level_changed'
    | 'deadline_near'
    | 'deadline_passed'
    | 'lost_contact'
    | 'position_lost'
    | 'position_regained'
    | 'outage_opened'
    | 'outage_ended'
    | 'spike_started'
    | 'spike_ended';
  at: number;
  stream: string;
  level: Level | null;
  kind: string | null;
  place: string;
  crew_name: string | null;
  minutes: number | null;
}

export interface TopicRows {
  tickets: TicketRow;
  crews: CrewRow;
  positions: PositionRow;
  rooms: RoomRow;
  arrears: ArrearsRow;
  sentiment: SentimentRow;
  outages: OutageRow;
  network: NetworkRow;
  figures: FigureRow;
  happenings: HappeningRow;
}

export type Topic = keyof TopicRows;

export const TOPICS: readonly Topic[] = [
  'tickets',
  'crews',
  'positions',
  'rooms',
  'arrears',
  'sentiment',
  'outages',
  'network',
  'figures',
  'happenings',
];

export const SUBPROTOCOL = 'heatops.v1';

export interface Since {
  epoch: number;
  seq: number;
}

export interface Hello {
  t: 'hello';
  pass: string;
}

export interface Sub {
  t: 'sub';
  topic: string;
  since?: Since | null;
}

export interface Unsub {
  t: 'unsub';
  topic: string;
}

export interface Put {
  key: string;
  version: number;
  row: unknown;
}

export interface Snap {
  t: 'snap';
  topic: string;
  epoch: number;
  seq: number;
  hash: string;
  as_of: number;
  source_at: number | null;
  cadence_s: number | null;
  rows: Put[];
}

export interface Resumed {
  t: 'resumed';
  topic: string;
  epoch: number;
  seq: number;
}

export interface Batch {
  t: 'batch';
  topic: string;
  epoch: number;
  seq_from: number;
  seq_to: number;
  put: Put[];
  drop: string[];
  hash: string;
  as_of: number;
}

export interface TopicTick {
  epoch: number;
  seq: number;
  hash: string;
  as_of: number;
  source_at: number | null;
  cadence_s: number | null;
}

export interface BusinessTime {
  at: number;
  rate: number;
}

export interface Tick {
  t: 'tick';
  server_time: number;
  business: BusinessTime;
  topics: Record<string, TopicTick>;
}

export interface Bye {
  t: 'bye';
  reason: 'shutdown' | 'slow' | 'session_ended' | 'pass_refused' | 'protocol';
  reconnect_after_ms: number | null;
}

export interface LiveError {
  t: 'error';
  code: 'unknown_topic' | 'not_ready' | 'bad_message' | 'too_many_messages';
  topic: string | null;
}

export type ClientMessage = Hello | Sub | Unsub;
export type ServerMessage = Snap | Resumed | Batch | Tick | Bye | LiveError;
