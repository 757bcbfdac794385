// What the phone keeps, in which order it leaves, and what has to wait.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outbox, OutboxOwner } from '../../src/crew/outbox.svelte';
import type { Refusal, Step } from '../../src/crew/types';
import { Phone } from './phone';

type Db = typeof import('../../src/crew/db');

const json = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status });
const ok = (): Response => json(200, { ticket: {}, version: 1 });
const said: string[] = [];
let phone: Phone;
let answer: (what: string) => Response | Promise<Response>;

beforeEach(() => {
  phone = new Phone();
  said.length = 0;
  answer = ok;
  phone.globals(async (path) => {
    const what = String(path).split('/').at(-1) ?? '';
    said.push(what);
    return answer(what);
  });
});

/** A tab of the phone has the modules to itself. */
async function tab(): Promise<Db> {
  vi.resetModules();
  return import('../../src/crew/db');
}

async function begun(): Promise<{ box: Outbox; db: Db; ended: Refusal[]; signIn: (crew: string | null) => void }> {
  const db = await tab();
  const { Outbox } = await import('../../src/crew/outbox.svelte');
  const ended: Refusal[] = [];
  let crew: string | null = 'C1';
  const owner: OutboxOwner = {
    crew: () => crew, clock: () => 1000, answered: () => undefined, reached: () => undefined, signedElsewhere: () => undefined,
    signedOut: (refusal) => {
      crew = null;
      ended.push(refusal);
    },
  };
  const box = new Outbox(owner);
  await box.start();
  return { box, db, ended, signIn: (as) => (crew = as) };
}

const say = (box: Outbox, what: Step): Promise<void> => box.add({ what, ticket: 'T1', body: { at_device_ms: 1 } }, 'C1');
const states = async (db: Db): Promise<string[]> => (await db.ops()).map((op) => `${op.what} ${op.state}`);
const until = (holds: () => Promise<boolean>): Promise<void> =>
  vi.waitFor(async () => {
    if (!(await holds())) throw new Error('not yet');
  });
const drained = (db: Db): Promise<void> => until(async () => (await db.ops()).every((op) => op.state === 'done' || op.state === 'refused'));

describe('the outbox', () => {
  it('sends what is said while something is sent, in the order in which it was said', async () => {
    const { box, db } = await begun();
    answer = async (what) => {
      if (what === 'accept') for (const next of ['en-route', 'check-in', 'hazard'] as const) await say(box, next);
      return ok();
    };
    await say(box, 'accept');
    await drained(db);
    expect(said).toEqual(['accept', 'en-route', 'check-in', 'hazard']);
  });

  it('says again what was refused after all that was said since', async () => {
    const { box, db } = await begun();
    answer = () => json(409, { code: 'valve_so' });
    await say(box, 'valve');
    await drained(db);
    answer = () => json(503, { code: 'busy' });
    await say(box, 'support');
    const [refused] = await db.ops();
    await box.doAgain(refused!);
    expect(await states(db)).toEqual([expect.stringContaining('support'), 'valve queued']);
    answer = ok;
    said.length = 0;
    await box.hurry();
    await drained(db);
    expect(said).toEqual(['support', 'valve']);
  });

  it('keeps everything waiting where another account is signed in here, until the crew is in again', async () => {
    const { box, db, ended, signIn } = await begun();
    answer = () => json(403, { code: 'crew_needed' });
    await say(box, 'accept');
    await until(async () => ended.length === 1);
    await say(box, 'en-route');
    expect(await states(db)).toEqual(['accept queued', 'en-route queued']);
    answer = ok;
    signIn('C1');
    await box.hurry();
    await drained(db);
    expect(said).toEqual(['accept', 'accept', 'en-route']);
  });

  it('takes a page that is not the server’s for no answer', async () => {
    const { box, db } = await begun();
    answer = () => new Response('<html>welcome to this network</html>');
    await say(box, 'accept');
    await until(async () => (await db.ops())[0]?.refusal?.code === 'not_ours');
    expect(await states(db)).toEqual(['accept queued']);
    answer = ok;
    await box.hurry();
    await drained(db);
  });
});

const photo = (key: string, state: 'queued' | 'done') => ({
  what: 'photo' as const, ticket: 'T1', key, crew: 'C1', said_at: 0, state, tries: 0, next_at: 0, refusal: null, done_at: null,
  upload: null, have: 0, said: [],
  body: { slot: 'room' as const, sha256: 'ab', bytes: 4, media_type: 'image/jpeg', source: 'camera' as const },
});

describe('what is kept', () => {
  it('gives a one-time word to one tab only', async () => {
    const [one, other] = [await tab(), await tab()];
    expect(one).not.toBe(other);
    const taken = await Promise.all([one.takeNonce(['a', 'b']), other.takeNonce(['a', 'b'])]);
    expect(taken.sort()).toEqual(['a', 'b']);
    expect(await one.takeNonce(['a', 'b'])).toBe(null);
    expect(await Promise.all([one.keepFirst('key', 1), other.keepFirst('key', 2)])).toEqual([1, 1]);
  });

  it('lets go of a photo that the server has, and still lists it', async () => {
    const db = await tab();
    const id = await db.addOp(photo('p1', 'queued'), new ArrayBuffer(4));
    await db.changeOp(id, { state: 'sending' });
    expect((await db.photo('p1'))?.byteLength).toBe(4);
    await db.changeOp(id, { state: 'done' });
    expect(await db.photo('p1')).toBe(undefined);
    expect((await db.opById(id))?.state).toBe('done');
  });

  it('makes room once where the phone is full, and says so where that is not enough', async () => {
    const db = await tab();
    phone.room = 8;
    await db.addOp(photo('old', 'done'), new ArrayBuffer(4));
    await db.addOp(photo('p1', 'queued'), new ArrayBuffer(4));
    await db.addOp(photo('p2', 'queued'), new ArrayBuffer(4));
    expect(await db.photo('old')).toBe(undefined);
    const refused: unknown = await db.addOp(photo('p3', 'queued'), new ArrayBuffer(4)).catch((error: unknown) => error);
    expect(db.isFull(refused)).toBe(true);
    expect((await db.ops()).length).toBe(3);
  });
});
