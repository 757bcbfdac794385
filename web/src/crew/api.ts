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
  refusal.status === 0 || refusal.status === 401 || refusal.status === 429 || refusal.status >= 500 ||
  refusal.code === 'key_in_flight' || refusal.code === 'busy' || refusal.code === 'too_many_uploads';

interface Answered<Answer> {
  status: number;
  etag: string;
  body: Answer;
}

export interface Call {
  json?: unknown;
  bytes?: ArrayBuffer;
  key?: string;
  etag?: string;
  /** Given up after this many ms. */
  within?: number;
}

export async function call<Answer>(method: string, path: string, of: Call = {}): Promise<Answered<Answer>> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  const init: RequestInit = { method, headers, cache: 'no-store', signal: AbortSignal.timeout(of.within ?? 20_000) };
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
    throw new CallError({ status: 0, code: 'unreachable', detail: '', what_to_do: '' }, null);
  }
  const etag = response.headers.get('ETag') ?? '';
  if (response.status === 304) return { status: 304, etag, body: null as Answer };
  // Where there is no signal the service worker answers with what it stored: no answer of the server's.
  const stored = response.headers.get('X-Stored-At');
  if (stored !== null) throw new CallError({ status: 0, code: 'unreachable', detail: '', what_to_do: '' }, null);
  let parsed: unknown = null;
  try {
    parsed = text === '' ? null : JSON.parse(text);
  } catch {
    // A proxy's own error page; the status says enough.
  }
  if (response.ok) return { status: response.status, etag, body: parsed as Answer };
  const problem = (parsed ?? {}) as { code?: string; detail?: string; what_to_do?: string; present?: Record<string, unknown> };
  const refusal = {
    status: response.status,
    code: problem.code ?? 'http',
    detail: problem.detail ?? '',
    what_to_do: problem.what_to_do ?? '',
  };
  throw new CallError(refusal, problem.present ?? null);
}

export const readToday = (etag: string): Promise<Answered<Today | null>> =>
  call('GET', '/api/crew/today', etag === '' ? {} : { etag });
