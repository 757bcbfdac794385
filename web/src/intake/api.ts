// The calls of the intake page; each also tells the line whether the server answers.
import { ApiError, call, SignedOut, type CallOptions } from '../lib/api';
import { line } from './line.svelte';
import type {
  Application,
  Case,
  LookUp,
  Outage,
  Photo,
  Proposal,
  ProposeBody,
  Suggestion,
  Ticket,
  Wanted,
} from './types';

/** As `call`, and the page learns from it whether the server can be reached. */
export async function ask<Answer>(
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  options?: CallOptions,
): Promise<Answer> {
  try {
    const answer = await call<Answer>(method, path, body, options);
    line.up();
    return answer;
  } catch (error) {
    if (error instanceof SignedOut) line.out();
    else if (error instanceof ApiError && error.code === 'unreachable') line.down();
    else line.up();
    throw error;
  }
}

/** Who calls; never in a URL, so that no log keeps a resident. */
export const lookUp = (wanted: Wanted): Promise<LookUp> => ask('POST', '/api/calls/look-up', wanted);

export const propose = (body: ProposeBody): Promise<Proposal> => ask('POST', '/api/requests/propose', body);

export const suggest = async (words: string): Promise<Suggestion[]> =>
  (await ask<{ items: Suggestion[] }>('GET', `/api/addresses/suggest?words=${encodeURIComponent(words)}`)).items;

/** Photos may be large and the line slow: a minute each. */
export const sendPhoto = (photo: Blob): Promise<Photo> => ask('POST', '/api/photos', photo, { within: 60_000 });

export const cancelTicket = (id: string, version: number, reason: string, key: string): Promise<Ticket> =>
  ask(
    'POST',
    `/api/tickets/${encodeURIComponent(id)}/cancel`,
    { version, reason_code: 'other', reason },
    { key },
  );

export const openOutages = async (): Promise<Outage[]> =>
  (await ask<{ items: Outage[] }>('GET', '/api/outages')).items;

/** A case of the hotline or a property firm, hung on the ticket that was taken in for it. */
export const hangCase = async (origin: string, number: string, ticket: string, key: string): Promise<Case> =>
  (await ask<{ case: Case }>('POST', '/api/cases', { origin, number, ticket }, { key })).case;

export const send = <Answer = Ticket | Application>(path: string, body: unknown, key: string): Promise<Answer> =>
  ask('POST', path, body, { key });

/** A new Idempotency-Key: 128 random bits. (randomUUID exists only under https; a company's own network may have none.) */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
