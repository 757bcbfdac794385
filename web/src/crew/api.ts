// The calls of the phone, and how a refusal of them is read.
import type { Refusal, Today } from './types';

/** The server refused, or did not answer (`status` 0). */
export class CallError extends Error {
  constructor(
    readonly refusal: Refusal,
    readonly present: Record<string, unknown> | null,
  ) {
    super(refusal.detail);
  }
}

/** No answer, or one that says nothing of the call itself: the same call may still succeed. */
export const mayPass = (refusal: Refusal): boolean =>
  refusal.status === 0 || refusal.status === 401 || refusal.status === 403 || refusal.status === 429 || refusal.status >= 500 ||
  refusal.code === 'key_in_flight' || refusal.code === 'busy' || refusal.code === 'too_many_uploads';

/** The phone has no session any more, or somebody else has signed in in its browser. */
export const endsSession = ({ status, code }: Refusal): boolean =>
  status === 401 || (status === 403 && (code === 'crew_needed' || code === 'role_needed'));

interface Answered<Answer> {
  status: number;
  etag: string;
  body: Answer;
}

export interface Call<Answer = unknown> {
  /** What the server's answer names; one without it came from somebody else on the way. */
  has?: readonly (keyof Answer & string)[];
  json?: unknown;
  bytes?: ArrayBuffer;
  key?: string;
  etag?: string;
  /** Given up after this many ms. */
  within?: number;
}

const none = (code: 'unreachable' | 'not_ours'): CallError =>
  new CallError({ status: 0, code, detail: '', what_to_do: '' }, null);

function recordOf(text: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** What a proxy, or a network that wants its own sign-in first, says in the server's place is no answer. */
export async function call<Answer>(method: string, path: string, of: Call<Answer> = {}): Promise<Answered<Answer>> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  const init: RequestInit = {
    method, headers, cache: 'no-store', redirect: 'error', signal: AbortSignal.timeout(of.within ?? 20_000),
  };
  if (of.json !== undefined) {
    init.body = JSON.stringify(of.json);
    headers['Content-Type'] = 'application/json';
  } else if (of.bytes !== undefined) {
    init.body = of.bytes;
    headers['Content-Type'] = 'application/octet-stream';
  }
  if (of.key !== undefined) headers['Idempotency-Key'] = of.key;
  if (of.etag) headers['If-None-Match'] = of.etag;
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch {
    throw none('unreachable');
  }
  const etag = response.headers.get('ETag') ?? '';
  if (response.status === 304 && of.etag) return { status: 304, etag, body: null as Answer };
  const parsed = recordOf(text);
  if (response.ok) {
    const ours = response.status === 204 ? of.has === undefined : parsed !== null && (of.has ?? []).every((name) => name in parsed);
    if (!ours) throw none('not_ours');
    return { status: response.status, etag, body: parsed as Answer };
  }
  const problem = (parsed ?? {}) as { code?: unknown; detail?: string; what_to_do?: string; present?: Record<string, unknown> };
  if (typeof problem.code !== 'string') throw none('not_ours');
  const refusal = {
    status: response.status,
    code: problem.code,
    detail: problem.detail ?? '',
    what_to_do: problem.what_to_do ?? '',
  };
  throw new CallError(refusal, problem.present ?? null);
}

/** The body is null where the day is as the ETag says. */
export const readToday = (etag: string): Promise<Answered<Today>> =>
  call('GET', '/api/crew/today', { has: ['crew', 'visits', 'clock'], ...(etag === '' ? {} : { etag }) });
