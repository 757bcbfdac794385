// The calls of the desk and what they answer; times are Unix seconds. Each also tells the line whether the server answers.
import { ApiError, type TicketRecord, type Traced } from '../lib/api';
import type { Choice, Clock } from '../lib/wire';
import { ask, newKey } from '../intake/api';

export { ask, newKey };

export type Trade = 'plant' | 'primary' | 'substation' | 'secondary' | 'indoor';
export type Permit = 'confined_space' | 'hot_work';

export interface Work {
  trade: Trade;
  owner: string;
  certificates: string[];
  permits: Permit[];
  skill: number;
  minutes: number;
  crews: number;
  parts: Record<string, number>;
  vehicle: string[];
  home_visit: boolean;
  equipment: string | null;
}

export interface Gas {
  oxygen_pct: number;
  lel_pct: number;
  co_ppm: number;
  h2s_ppm: number;
  read_at: number;
}

/** A ticket as the desk reads it; what an older server does not send is left away. */
export interface Ticket extends Omit<TicketRecord, 'pinned' | 'escalated'> {
  version: number;
  precision: string;
  owner: string | null;
  green_channel: boolean;
  reasons: string[];
  photos: number;
  history: number;
  closed_at: number | null;
  possible: string[];
  merged_into: string | null;
  work?: Work | null;
  work_by?: 'policy' | 'person';
  appointed?: { from_at: number; until_at: number; night_agreed: boolean } | null;
  permits?: { permit: Permit; number: string; valid_until: number; guard: string | null; gas: Gas | null }[];
  parts_wait?: { parts: Record<string, number>; store: string | null; expected_at: number } | null;
  clocks?: Partial<Record<Clock, number | null>> | null;
  reopened?: number;
  arrive_at?: number | null;
  /** The policy gave it to its crew; no person did. */
  auto?: boolean;
  warnings?: string[];
}

export interface TicketTraced extends Traced {
  ticket: Ticket;
  /** Of the work on site; null where nothing was said of it. */
  evidence_chain: Traced['chain'] | null;
}

export interface CrewRule {
  crew: string;
  crew_name: string;
  /** The rule that left it out; null for the proposed ones. */
  rule: string | null;
  rank: number | null;
}

export interface ProposalAnswer {
  plan: number;
  ticket_version: number;
  decision: string;
  made_at: number;
  choices: Choice[];
  left_out: Record<string, number>;
  travel: string;
  policy: string;
  waits_for: string | null;
  crews: CrewRule[];
  /** Where nobody can be there in time: a crew that would have to leave its work, made safe, for it. */
  safe_first?: Choice | null;
}

export interface PriceAnswer {
  choice: Choice | null;
  price: { best: string | null; later_s: number; newly_late: string[]; displaced: string[] } | null;
  against: Choice | null;
  refused_by: string | null;
  decision?: string | null;
  plan?: number | null;
}

export interface Hand {
  who: string;
  ticket: string | null;
  doing: 'looking' | 'choosing' | 'calling';
  since: number;
}

export interface DispatchBody {
  version: number;
  crew: string;
  with_crew?: string;
  decision?: string;
  reason_code?: string;
  reason?: string;
  displace?: { ticket: string; version: number }[];
  made_safe?: boolean;
}

const path = (id: string): string => `/api/tickets/${encodeURIComponent(id)}`;

export const readTicket = (id: string): Promise<TicketTraced> => ask('GET', path(id));

/** What people wrote at its steps; that it was read is written down. */
export const readWritten = (id: string): Promise<{ items: { stream: string; version: number; text: string }[] }> => ask('GET', `${path(id)}/written`);

export const readProposal = (id: string): Promise<ProposalAnswer> =>
  ask('GET', `/api/proposals/${encodeURIComponent(id)}`, undefined, { within: 4000 });

export interface PriceOf {
  crew: string;
  with_crew?: string;
  start_at?: number;
}

export const askPrice = (ticket: string, of: PriceOf): Promise<PriceAnswer> =>
  ask('POST', `/api/proposals/${encodeURIComponent(ticket)}/price`, of, { within: 4000 });

export const commandPath = (id: string, command: string): string => `${path(id)}/${command}`;

export const tellPresence = (ticket: string | null, doing: Hand['doing']): Promise<{ hands: Hand[] }> =>
  ask('POST', '/api/presence', { ticket, doing }, { within: 4000 });

/** Whether the engine that scores is away: people then go on by hand. */
export const engineAway = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 'engine_unavailable' || error.status === 503 || error.status === 0);
