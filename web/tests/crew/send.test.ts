// What is sent, and sent again: with the phone's clock, under which key, what counts as an answer, and what becomes of what
// was discarded.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { call, CallError, endsSession, mayPass, readToday } from '../../src/crew/api';
import { lacking } from '../../src/crew/ready';
import { letBe, renew, send } from '../../src/crew/send';
import type { Op, PhotoOp, Refusal, StepOp } from '../../src/crew/types';

const kept = vi.hoisted(() => new Map<number, Op>());
vi.mock('../../src/crew/db', () => ({
  photo: async () => new ArrayBuffer(3),
  opById: async (id: number) => kept.get(id),
  changeOp: async (id: number, change: Partial<Op>) => {
    const op = kept.get(id);
    if (op !== undefined) kept.set(id, { ...op, ...change } as Op);
  },
  putLast: async (id: number, change: Partial<Op>) => {
    const op = kept.get(id);
    kept.delete(id);
    if (op !== undefined) kept.set(100 + id, { ...op, ...change, id: 100 + id } as Op);
  },
  rekeyOp: async (id: number, change: Partial<Op>) => {
    const op = kept.get(id);
    if (op !== undefined) kept.set(id, { ...op, ...change } as Op);
  },
}));

const common = {
  crew: 'C1', ticket: 'T1', said_at: 0, state: 'queued' as const, tries: 0, next_at: 0, refusal: null, done_at: null,
};
const photo = (more: Partial<PhotoOp> = {}): PhotoOp => ({
  ...common, id: 1, key: 'photo-key', what: 'photo', upload: null, have: 0, said: [],
  body: { slot: 'room', sha256: 'ab', bytes: 3, media_type: 'image/jpeg', source: 'camera' }, ...more,
});
const checkIn = (more: Partial<StepOp> = {}): StepOp => ({
  ...common, id: 2, key: 'in-key', what: 'check-in', body: { at_device_ms: 1 }, sent: [5], ...more,
});
interface Heard {
  method: string;
  path: string;
  json: Record<string, unknown> | null;
}
const heard: Heard[] = [];
let answers: ((call: Heard) => Response)[] = [];
const json = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status });
const state = (done: boolean): unknown => ({ upload: 'u1', have: done ? 3 : 0, bytes: 3, done: done ? { said: [] } : null });

beforeEach(() => {
  kept.clear();
  heard.length = 0;
  answers = [];
  vi.stubGlobal('navigator', { onLine: true });
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    const told = { method: init.method ?? 'GET', path, json: typeof init.body === 'string' ? JSON.parse(init.body) : null };
    heard.push(told);
    const next = answers.shift();
    if (next === undefined) throw new TypeError('no signal');
    return next(told);
  });
});

describe('a photo that is sent', () => {
  it('says what the clock shows as it is announced, and repeats the try that had arrived', async () => {
    kept.set(1, photo());
    expect((await send(photo(), () => 1000)).is).toBe('waits');
    const later = kept.get(1) as PhotoOp;
    answers = [() => json(422, { code: 'key_reused' }), () => json(201, state(false)), () => json(200, state(true))];
    expect((await send(later, () => 2000)).is).toBe('done');
    expect(heard.map((call) => call.json?.['sent_at_ms'])).toEqual([1000, 2000, 1000, undefined]);
    expect(heard.map((call) => call.method)).toEqual(['POST', 'POST', 'POST', 'PUT']);
  });

  it('waits where the server has no place just now', async () => {
    const begun = photo({ upload: 'u1', have: 0 });
    kept.set(1, begun);
    answers = [() => json(200, state(false)), () => json(503, { code: 'uploads_busy' })];
    expect((await send(begun, () => 1)).is).toBe('waits');
    expect(kept.get(1)?.key).toBe('photo-key');
  });

  it('begins anew where what had arrived is lost, and waits where nothing moves', async () => {
    const begun = photo({ upload: 'u1', have: 0 });
    kept.set(1, begun);
    answers = [() => json(200, state(false)), () => json(409, { code: 'part_lost' })];
    expect(await send(begun, () => 1)).toMatchObject({ is: 'waits', refusal: { code: 'part_lost' } });
    expect(kept.get(1)).toMatchObject({ upload: null, have: 0, sent: [] });
    expect(kept.get(1)?.key).not.toBe('photo-key');
    answers = [() => json(200, state(false)), () => json(409, { code: 'wrong_offset' }), () => json(200, state(false))];
    expect((await send(begun, () => 1)).is).toBe('waits');
  });

  it('is not waited for once it was discarded', async () => {
    answers = [() => new Response(null, { status: 204 })];
    await letBe(photo({ upload: 'u1' }));
    await letBe(photo());
    await letBe(photo({ upload: 'u1', state: 'done' }));
    await letBe(checkIn());
    expect(heard.map((call) => [call.method, call.path])).toEqual([['DELETE', '/api/crew/uploads/u1']]);
    await expect(letBe(photo({ upload: 'u1' }))).resolves.toBeUndefined();
  });
});

describe('what is done again', () => {
  it('has a new key, but for a check-in: its photos name it', async () => {
    kept.set(1, photo({ state: 'refused', upload: 'u1', have: 3, sent: [7] }));
    kept.set(2, checkIn({ state: 'refused' }));
    await renew(1);
    await renew(2);
    expect(kept.get(1)).toMatchObject({ state: 'queued', upload: null, have: 0, sent: [] });
    expect(kept.get(1)?.key).not.toBe('photo-key');
    expect(kept.get(102)).toMatchObject({ state: 'queued', key: 'in-key', sent: [5], refusal: null });
  });

  it('is the last that was said where it is a step, and a check-in leaves a key that is another’s', async () => {
    const refusal = { status: 422, code: 'key_reused', detail: '', what_to_do: '' };
    kept.set(2, checkIn({ state: 'refused', refusal }));
    kept.set(3, { ...checkIn({ state: 'refused' }), id: 3, what: 'valve', key: 'valve-key' });
    await renew(2);
    await renew(3);
    expect([...kept.keys()]).toEqual([102, 103]);
    expect(kept.get(102)).toMatchObject({ state: 'queued', sent: [] });
    expect(kept.get(102)?.key).not.toBe('in-key');
    expect(kept.get(103)?.key).not.toBe('valve-key');
  });
});

describe('the tries that may have arrived', () => {
  const reused = (): Response => json(422, { code: 'key_reused' });
  const times = (): unknown[] => heard.map((one) => one.json?.['sent_at_ms']);

  it('are walked from the latest on, each once, and the one that had arrived is found', async () => {
    const sent = Array.from({ length: 40 }, (_, n) => n);
    kept.set(2, checkIn({ sent }));
    answers = [...Array.from({ length: 38 }, () => reused), () => json(200, { ticket: {}, version: 1 })];
    expect((await send(checkIn({ sent }), () => 99)).is).toBe('done');
    expect(times()).toEqual([99, ...sent.slice(2).reverse()]);
  });

  it('are not walked again where the walk broke off, and come to an end', async () => {
    kept.set(2, checkIn({ sent: [1, 2, 3] }));
    answers = [reused, reused];
    expect((await send(checkIn({ sent: [1, 2, 3] }), () => 4)).is).toBe('waits');
    expect((kept.get(2) as StepOp).sent).toEqual([1, 2]);
    answers = [reused, reused, reused];
    expect(await send(kept.get(2) as StepOp, () => 5)).toMatchObject({ is: 'refused', refusal: { code: 'key_reused' } });
    expect(times()).toEqual([4, 3, 2, 5, 2, 1]);
  });

  it('do not grow while the phone has no network', async () => {
    vi.stubGlobal('navigator', { onLine: false });
    kept.set(2, checkIn());
    for (const at of [6, 7, 8]) expect((await send(kept.get(2) as StepOp, () => at)).is).toBe('waits');
    expect((kept.get(2) as StepOp).sent).toEqual([5]);
  });
});

describe('what is no answer of the server', () => {
  const page = (status: number): Response => new Response('<html>sign in to this network</html>', { status });
  const said = async (answer: Response): Promise<string> => {
    kept.set(2, checkIn());
    answers = [() => answer];
    const outcome = await send(checkIn(), () => 9);
    return outcome.is === 'done' ? 'done' : `${outcome.is} ${outcome.refusal.status} ${outcome.refusal.code}`;
  };

  it('leaves what was said waiting', async () => {
    for (const answer of [page(200), page(404), page(511), json(200, {}), json(200, [1]), json(201, 'ok'), json(403, { error: 'no' }), json(502, {})]) {
      expect(await said(answer)).toBe('waits 0 not_ours');
    }
    expect(await said(new Response(null, { status: 204 }))).toBe('waits 0 not_ours');
    expect(await said(json(409, { code: 'not_your_ticket' }))).toBe('refused 409 not_your_ticket');
    expect(await said(json(503, { code: 'database_unavailable' }))).toBe('waits 503 database_unavailable');
    expect(await said(json(200, { ticket: {}, version: 1 }))).toBe('done');
  });

  it('is never taken for the day', async () => {
    answers = [() => page(200), () => json(200, { crew: 'C1' }), () => new Response(null, { status: 304 })];
    for (let n = 0; n < 3; n += 1) await expect(readToday('')).rejects.toBeInstanceOf(CallError);
    answers = [() => new Response(null, { status: 304 }), () => json(200, { crew: 'C1', visits: [], clock: {} })];
    expect((await readToday('"e"')).status).toBe(304);
    expect((await readToday('"e"')).body.crew).toBe('C1');
    await expect(call('GET', '/api/session')).rejects.toMatchObject({ refusal: { code: 'unreachable' } });
  });

  it('waits for a new sign-in where somebody else is signed in here', () => {
    const of = (status: number, code: string): Refusal => ({ status, code, detail: '', what_to_do: '' });
    for (const refusal of [of(401, 'not_signed_in'), of(401, 'device_revoked'), of(403, 'crew_needed'), of(403, 'role_needed')]) {
      expect([mayPass(refusal), endsSession(refusal)]).toEqual([true, true]);
    }
    expect([mayPass(of(403, 'cross_site')), endsSession(of(403, 'cross_site'))]).toEqual([true, false]);
    expect([mayPass(of(409, 'checked_in')), endsSession(of(0, 'not_ours'))]).toEqual([false, false]);
  });
});

describe('what the app stands on', () => {
  it('is looked at before it starts, and the first that lacks is told', async () => {
    const all = { secure: true, parts: [1, 2], keeps: async () => true };
    expect(await lacking(all)).toBe(null);
    expect(await lacking({ ...all, secure: false, parts: [undefined] })).toBe('insecure');
    expect(await lacking({ ...all, parts: [1, undefined] })).toBe('old');
    expect(await lacking({ ...all, keeps: async () => false })).toBe('store');
  });
});
