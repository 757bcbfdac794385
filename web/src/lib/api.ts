// The calls a screen makes, and what their refusals mean.
import type { BusinessTime, TicketRow } from './wire';

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

export interface Session {
  user: string;
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
  ) {
    super(detail);
  }
}

async function call<Answer>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
  const init: RequestInit = { method, headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(10_000) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new ApiError(0, 'unreachable', '', '');
  }
  const text = await response.text();
  if (response.ok) return (text === '' ? null : JSON.parse(text)) as Answer;
  let problem: { code?: string; detail?: string; what_to_do?: string } = {};
  try {
    problem = JSON.parse(text) as typeof problem;
  } catch {
    // A proxy's own error page has no problem document; the status says enough.
  }
  if (response.status === 401 && !path.startsWith('/api/sign-in')) throw new SignedOut();
  throw new ApiError(response.status, problem.code ?? 'http', problem.detail ?? '', problem.what_to_do ?? '');
}

export const session = (): Promise<Session> => call('GET', '/api/session');

export const livePass = async (): Promise<string> =>
  (await call<{ pass: string }>('POST', '/api/live-passes')).pass;

export const signIn = (user: string, password: string): Promise<unknown> =>
  call('POST', '/api/sign-in', { user, password });

export const signInByLink = (token: string, person?: { user: string; password: string }): Promise<unknown> =>
  call('POST', '/api/sign-in/link', { token, ...person });

export const changeCompany = (code: string): Promise<unknown> => call('POST', '/api/session/company', { code });

export const ticketsBehind = async (figure: 'closing' | 'requests', limit: number): Promise<TicketRecord[]> =>
  (await call<{ items: TicketRecord[] }>('GET', `/api/tickets?figure=${figure}&limit=${limit}`)).items;

/** One step of a ticket's trace: who, when, on what grounds. */
export interface TraceStep {
  version: number;
  kind: string;
  actor: string;
  business_at: number;
  grounds: string | null;
}

export interface TicketTrace {
  ticket: TicketRecord;
  trace: TraceStep[];
  chain: { holds: boolean; broken_at: number | null };
}

export const ticketTrace = (id: string): Promise<TicketTrace> => call('GET', `/api/tickets/${encodeURIComponent(id)}`);
