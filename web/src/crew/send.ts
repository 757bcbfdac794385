// Sends one op and says what came of it; an op whose answer was lost is sent again without being done twice.
import { call, CallError, mayPass } from './api';
import { changeOp, opById, photo, rekeyOp } from './db';
import type { Op, PhotoOp, Refusal, StepOp } from './types';

const CHUNK = 256 * 1024;

/** `waits`: to be sent again; `refusal` then says why it did not pass. */
export type Outcome = { is: 'done' } | { is: 'refused'; refusal: Refusal } | { is: 'waits'; refusal: Refusal };

interface Upload {
  upload: string;
  have: number;
  bytes: number;
  done: { said?: string[] } | null;
}

/** `clock`: business ms now, by the phone's clock. */
export async function send(op: Op, clock: () => number): Promise<Outcome> {
  try {
    if (op.what === 'photo') await sendPhoto(op, clock);
    else await sendStep(op, clock);
    return { is: 'done' };
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return { is: mayPass(error.refusal) ? 'waits' : 'refused', refusal: error.refusal };
  }
}

/** The time of sending belongs to each try. If an earlier one had arrived, its key stands for that body: it is sent again
 *  as it was, and the first answer comes back. */
async function timed<Answer>(op: Op, clock: () => number, path: string, json: Record<string, unknown>): Promise<Answer> {
  const now = Math.round(clock());
  const earlier = op.sent ?? [];
  await changeOp(op.id, { sent: [...earlier, now] });
  const attempt = async (sent: number): Promise<Answer> =>
    (await call<Answer>('POST', path, { json: { ...json, sent_at_ms: sent }, key: op.key })).body;
  for (const sent of [now, ...[...earlier].reverse()].slice(0, -1)) {
    try {
      return await attempt(sent);
    } catch (error) {
      if (!(error instanceof CallError) || error.refusal.code !== 'key_reused') throw error;
    }
  }
  return attempt(earlier[0] ?? now);
}

async function sendStep(op: StepOp, clock: () => number): Promise<void> {
  await timed(op, clock, `/api/crew/tickets/${encodeURIComponent(op.ticket)}/${op.what}`, op.body);
}

async function sendPhoto(op: PhotoOp, clock: () => number): Promise<void> {
  const bytes = await photo(op.key);
  if (bytes === undefined) {
    throw new CallError({ status: 410, code: 'photo_lost', detail: '', what_to_do: '' }, null);
  }
  try {
    let at = await begin(op, clock);
    while (at.done === null) at = await put(op, at, bytes);
    await changeOp(op.id, { have: at.have, said: at.done.said ?? [] });
  } catch (error) {
    const code = error instanceof CallError ? error.refusal.code : '';
    if (code !== 'no_such_upload' && code !== 'hash_differs') throw error;
    // The server has let go of it: it begins anew, under a new key, once; the next try is another one's.
    const again = crypto.randomUUID();
    await rekeyOp(op.id, { key: again, upload: null, have: 0, sent: [] });
    if (code === 'hash_differs') throw error;
    throw new CallError({ status: 503, code, detail: '', what_to_do: '' }, null);
  }
}

async function begin(op: PhotoOp, clock: () => number): Promise<Upload> {
  if (op.upload !== null) return (await call<Upload>('GET', `/api/crew/uploads/${op.upload}`)).body;
  const body = await timed<Upload>(op, clock, '/api/crew/uploads', { ticket: op.ticket, ...op.body });
  await changeOp(op.id, { upload: body.upload, have: body.have });
  return body;
}

async function put(op: PhotoOp, at: Upload, bytes: ArrayBuffer): Promise<Upload> {
  const path = `/api/crew/uploads/${at.upload}`;
  const chunk = bytes.slice(at.have, at.have + CHUNK);
  try {
    const { body } = await call<Upload>('PUT', `${path}?at=${at.have}`, { bytes: chunk, within: 60_000 });
    await changeOp(op.id, { have: body.have });
    return body;
  } catch (error) {
    if (!(error instanceof CallError) || error.refusal.code !== 'wrong_offset') throw error;
    return (await call<Upload>('GET', path)).body;
  }
}

/** The server need not wait for the rest of a photo that was discarded; unheard, it lets go of it by itself. */
export async function letBe(op: Op): Promise<void> {
  if (op.what !== 'photo' || op.upload === null || op.state === 'done') return;
  await call('DELETE', `/api/crew/uploads/${op.upload}`).catch((error: unknown) => {
    if (!(error instanceof CallError)) throw error;
  });
}

/** A refused op as a new one, under another key. A check-in keeps its own: its photos name it, and what was refused has
 *  left it free. */
export async function renew(id: number): Promise<void> {
  const op = await opById(id);
  if (op === undefined) return;
  const fresh = { state: 'queued' as const, tries: 0, next_at: 0, refusal: null, sent: [] };
  const key = crypto.randomUUID();
  if (op.what === 'check-in') await changeOp(id, { ...fresh, sent: op.sent });
  else await rekeyOp(id, op.what === 'photo' ? { ...fresh, key, upload: null, have: 0 } : { ...fresh, key });
}
