// Sends one op and says what came of it; an op whose answer was lost is sent again without being done twice.
import { call, CallError, mayPass, type Call } from './api';
import { changeOp, opById, photo, putLast, rekeyOp } from './db';
import type { Op, PhotoOp, Refusal, StepOp } from './types';

const CHUNK = 256 * 1024;
/** The server has let go of the photo: it is begun anew. */
const BEGUN_ANEW: ReadonlySet<string> = new Set(['no_such_upload', 'part_lost', 'hash_differs']);

/** `waits`: to be sent again; `refusal` then says why it did not pass. */
export type Outcome = { is: 'done' } | { is: 'refused'; refusal: Refusal } | { is: 'waits'; refusal: Refusal };

interface StepAnswer {
  ticket: unknown;
  version: number;
}

interface Upload {
  upload: string;
  have: number;
  bytes: number;
  done: { said?: string[] } | null;
}

const UPLOAD = { has: ['upload', 'have', 'bytes', 'done'] } as const satisfies Call<Upload>;

const passing = (code: string): CallError => new CallError({ status: 503, code, detail: '', what_to_do: '' }, null);

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
 *  as it was, and the first answer comes back. `sent` holds the tries that may have arrived: one that the key does not
 *  stand for is struck off, so that a walk that breaks off goes on where it was. */
async function timed<Answer>(op: Op, clock: () => number, path: string, of: Call<Answer>): Promise<Answer> {
  let sent = [...new Set([...(op.sent ?? []), Math.round(clock())])];
  const keep = (): Promise<unknown> => changeOp(op.id, { sent });
  await keep();
  for (;;) {
    const last = sent.at(-1);
    const unheard = !navigator.onLine;
    try {
      return (await call<Answer>('POST', path, { ...of, json: { ...(of.json as object), sent_at_ms: last }, key: op.key })).body;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      const { status, code } = error.refusal;
      // Without any network before and after, nothing has left the phone.
      const stayed = unheard && !navigator.onLine && status === 0;
      if (code !== 'key_reused' && !stayed) throw error;
      sent = sent.filter((one) => one !== last);
      await keep();
      if (stayed || sent.length === 0) throw error;
    }
  }
}

async function sendStep(op: StepOp, clock: () => number): Promise<void> {
  const path = `/api/crew/tickets/${encodeURIComponent(op.ticket)}/${op.what}`;
  await timed<StepAnswer>(op, clock, path, { json: op.body, has: ['ticket', 'version'] });
}

async function sendPhoto(op: PhotoOp, clock: () => number): Promise<void> {
  const bytes = await photo(op.key);
  if (bytes === undefined) {
    throw new CallError({ status: 410, code: 'photo_lost', detail: '', what_to_do: '' }, null);
  }
  try {
    let at = await begin(op, clock);
    while (at.done === null) {
      const next = await put(op, at, bytes);
      if (next.done === null && next.have === at.have) throw passing('uploads_busy');
      at = next;
    }
    await changeOp(op.id, { have: at.have, said: at.done.said ?? [] });
  } catch (error) {
    const code = error instanceof CallError ? error.refusal.code : '';
    if (!BEGUN_ANEW.has(code)) throw error;
    // Under a new key, once; the next try is another one's.
    const again = crypto.randomUUID();
    await rekeyOp(op.id, { key: again, upload: null, have: 0, sent: [] });
    if (code === 'hash_differs') throw error;
    throw passing(code);
  }
}

async function begin(op: PhotoOp, clock: () => number): Promise<Upload> {
  if (op.upload !== null) return (await call<Upload>('GET', `/api/crew/uploads/${op.upload}`, UPLOAD)).body;
  const body = await timed<Upload>(op, clock, '/api/crew/uploads', { ...UPLOAD, json: { ticket: op.ticket, ...op.body } });
  await changeOp(op.id, { upload: body.upload, have: body.have });
  return body;
}

async function put(op: PhotoOp, at: Upload, bytes: ArrayBuffer): Promise<Upload> {
  const path = `/api/crew/uploads/${at.upload}`;
  const chunk = bytes.slice(at.have, at.have + CHUNK);
  try {
    const { body } = await call<Upload>('PUT', `${path}?at=${at.have}`, { ...UPLOAD, bytes: chunk, within: 60_000 });
    await changeOp(op.id, { have: body.have });
    return body;
  } catch (error) {
    if (!(error instanceof CallError) || error.refusal.code !== 'wrong_offset') throw error;
    return (await call<Upload>('GET', path, UPLOAD)).body;
  }
}

/** The server need not wait for the rest of a photo that was discarded; unheard, it lets go of it by itself. */
export async function letBe(op: Op): Promise<void> {
  if (op.what !== 'photo' || op.upload === null || op.state === 'done') return;
  await call('DELETE', `/api/crew/uploads/${op.upload}`).catch((error: unknown) => {
    if (!(error instanceof CallError)) throw error;
  });
}

/** A refused op as a new one, under another key: a step as the last that was said, a photo in its place, before the done
 *  that waits for it. A check-in keeps its key: its photos name it, and what was refused has left it free, unless it is
 *  refused for being another's. */
export async function renew(id: number): Promise<void> {
  const op = await opById(id);
  if (op === undefined) return;
  const fresh = { state: 'queued' as const, tries: 0, next_at: 0, refusal: null, sent: [] };
  const key = crypto.randomUUID();
  if (op.what === 'photo') await rekeyOp(id, { ...fresh, key, upload: null, have: 0 });
  else if (op.what === 'check-in' && op.refusal?.code !== 'key_reused') await putLast(id, { ...fresh, sent: op.sent });
  else await putLast(id, { ...fresh, key });
}
