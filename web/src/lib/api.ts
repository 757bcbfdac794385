// The calls a screen makes, and what their refusals mean.
import type { ArrearsRow, BusinessTime, NetworkRow, OutageRow, TicketRow } from './wire';

export interface City {
  name: string;
  tiles: string;
  attribution: string;
  west: number;
  south: number;
  east: number;
  north: number;
  center_lon: number;
  center_lat: number;
}

export interface Company {
  code: string;
  name: string;
  timezone: string;
  demo: boolean;
}

/** What an account may see and do at its company. */
export type Role = 'administrator' | 'manager' | 'seat' | 'wall';

export interface Session {
  user: string;
  role: Role;
  version: string;
  company: Company;
  companies: { code: string; name: string }[];
  city: City | null;
  business: BusinessTime;
}

export interface TicketRecord extends TicketRow {
  id: string;
}

/** The session is over or was never there. */
export class SignedOut extends Error {}

/** The server refused and said why, or could not be reached (`code` is then `unreachable`). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly whatToDo: string,
    /** The record as it stands now, where that is why. */
    readonly present: Record<string, unknown> | null = null,
  ) {
    super(detail);
  }
}

export interface CallOptions {
  /** The Idempotency-Key: the same one whenever the same call is sent again. */
  key?: string;
  /** Given up after this many milliseconds. */
  within?: number;
}

/** One call of the API; a Blob is sent as it is, anything else as JSON. */
export async function call<Answer>(
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  { key, within = 10_000 }: CallOptions = {},
): Promise<Answer> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  const init: RequestInit = { method, headers, signal: AbortSignal.timeout(within) };
  if (body instanceof Blob) {
    init.body = body;
    headers['Content-Type'] = body.type || 'application/octet-stream';
  } else if (body !== undefined) {
    init.body = JSON.stringify(body);
    headers['Content-Type'] = 'application/json';
  }
  if (key !== undefined) headers['Idempotency-Key'] = key;
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new ApiError(0, 'unreachable', '', '');
  }
  const text = await response.text();
  if (response.ok) return (text === '' ? null : JSON.parse(text)) as Answer;
  let problem: { code?: string; detail?: string; what_to_do?: string; present?: Record<string, unknown> } = {};
  try {
    problem = JSON.parse(text) as typeof problem;
  } catch {
    // A proxy's own error page has no problem document; the status says enough.
  }
  if (response.status === 401 && !path.startsWith('/api/sign-in')) throw new SignedOut();
  throw new ApiError(response.status, problem.code ?? 'http', problem.detail ?? '', problem.what_to_do ?? '', problem.present ?? null);
}

export const session = (): Promise<Session> => call('GET', '/api/session');

export const livePass = async (): Promise<string> =>
  (await call<{ pass: string }>('POST', '/api/live-passes')).pass;

export const signIn = (user: string, password: string): Promise<unknown> =>
  call('POST', '/api/sign-in', { user, password });

export const signInByLink = (token: string, person?: { user: string; password: string }): Promise<unknown> =>
  call('POST', '/api/sign-in/link', { token, ...person });

/** Another company is another picture altogether, so the page begins anew, whatever the server answered. */
export async function changeCompany(code: string): Promise<void> {
  try {
    await call('POST', '/api/session/company', { code });
  } finally {
    location.reload();
  }
}

/** One page, newest first; `total` tickets match in all and stand for `reports` requests. */
export interface TicketPage {
  items: TicketRecord[];
  next: string | null;
  total: number;
  reports: number;
}

export const ticketsBehind = (figure: 'closing' | 'requests', limit: number): Promise<TicketPage> =>
  call('GET', `/api/tickets?figure=${figure}&limit=${limit}`);

/** One step of a ticket's trace: who, when, on what grounds. */
export interface TraceStep {
  /** The kind of record that it is of: a ticket's trace has those of its evidence too. */
  stream: string;
  version: number;
  kind: string;
  actor: string;
  business_at: number;
  grounds: string | null;
}

/** A step among those of all streams of a trace. */
export const stepKey = (step: { stream: string; version: number }): string => `${step.stream}:${step.version}`;

/** Everything that happened to one thing, and whether nothing in it was altered. */
export interface Traced {
  trace: TraceStep[];
  chain: { holds: boolean; broken_at: number | null };
}

export interface TicketTrace extends Traced {
  ticket: TicketRecord;
}

export interface OutageTrace extends Traced {
  outage: OutageRow & { ended_at: number | null };
}

export interface PointRecord {
  address: string;
  readings: { read_at: number; celsius: number }[];
}

export interface NodeRecord {
  kind: NetworkRow['node_kind'];
  name: string;
  supply_low_c: number | null;
  readings: {
    read_at: number;
    supply_c: number | null;
    return_c: number | null;
    flow_m3h: number | null;
    makeup_m3h: number | null;
    pressure_kpa: number | null;
  }[];
}

export interface CommunityRecord {
  name: string;
  district: string;
  mentions: { id: string; said_at: number; value: number; topic: string; channel: string }[];
}

export interface CellRecord {
  /** `band` is null where the cell was taken off the map. */
  rounds: { at: number; band: ArrearsRow['band'] | null; policy: string | null }[];
}

const one =
  <Answer>(collection: string) =>
  (id: string): Promise<Answer> =>
    call('GET', `/api/${collection}/${encodeURIComponent(id)}`);

export const ticketTrace = one<TicketTrace>('tickets');
export const outageTrace = one<OutageTrace>('outages');
export const point = one<PointRecord>('points');
export const node = one<NodeRecord>('nodes');
export const community = one<CommunityRecord>('communities');
export const cell = one<CellRecord>('cells');
