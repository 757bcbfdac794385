// What is sent, and sent again: with the phone's clock, under which key, and what becomes of what was discarded.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { letBe, renew, send } from '../../src/crew/send';
import type { Op, PhotoOp, StepOp } from '../../src/crew/types';

const kept = vi.hoisted(() => new Map<number, Op>());
vi.mock('../../src/crew/db', () => ({
  photo: async () => new ArrayBuffer(3),
  opById: async (id: number) => kept.get(id),
  changeOp: async (id: number, change: Partial<Op>) => {
    const op = kept.get(id);
    if (op !== undefined) kept.set(id, { ...op, ...change } as Op);
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
    expect(kept.get(2)).toMatchObject({ state: 'queued', key: 'in-key', sent: [5], refusal: null });
  });
});
