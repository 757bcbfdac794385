// Who is signed in, what the phone still shows where nobody is, and a code whose answer was lost.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { CrewApp } from '../../src/crew/crew.svelte';
import { Phone } from './phone';

vi.mock('../../src/crew/device', () => ({ publicKey: async () => ({}), sha256: async () => 'ab', sign: async () => 's' }));

const json = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status });
const day = (crew: string): Response =>
  json(200, { crew, name: crew, on_duty: true, clock: { at_ms: 0, system_ms: 0, rate: 1 }, visits: [], next: null });
const session = (crew: string | null): Response => json(200, { crew, device: crew && 'D1', company: { timezone: 'Asia/Shanghai' } });
const lost = (): Response => {
  throw new TypeError('no signal');
};

let answers: Record<string, () => Response>;
let phone: Phone;

beforeEach(() => {
  phone = new Phone();
  phone.globals(async (path) => (answers[String(path).split('/').at(-1) ?? ''] ?? lost)());
  answers = { 'sign-in': () => json(200, { crew: 'C1', device: 'D1' }), session: () => session('C1'), today: () => day('C1') };
});

/** A tab, as it stands once the phone has started it. */
async function tab(): Promise<CrewApp> {
  vi.resetModules();
  const { CrewApp } = await import('../../src/crew/crew.svelte');
  const app = new CrewApp();
  await app.start();
  return app;
}

async function signedIn(): Promise<CrewApp> {
  const app = await tab();
  expect(await app.signIn('12345678', 'phone')).toBe(null);
  await vi.waitFor(() => expect(app.heard).not.toBe(null));
  return app;
}

const keptDay = (): unknown => phone.stores.get('kept')?.rows.get('today');

describe('a session that ended', () => {
  it('leaves the day in sight and lets everything be said, which waits', async () => {
    const app = await signedIn();
    for (const refusal of [json(401, { code: 'not_signed_in' }), json(403, { code: 'crew_needed' })]) {
      app.locked = false;
      answers = { today: () => refusal };
      await app.read();
      expect([app.locked, app.heard?.today.crew]).toEqual([true, 'C1']);
    }
    await app.say('T1', 'accept');
    expect(app.outbox.ops.map((op) => op.state)).toEqual(['queued']);
    expect(keptDay()).toMatchObject({ today: { crew: 'C1' } });
  });

  it('takes the day with it where the desk has revoked the phone, and nothing that was said', async () => {
    const app = await signedIn();
    answers = {};
    await app.say('T1', 'accept');
    answers = { today: () => json(401, { code: 'device_revoked' }) };
    await app.read();
    expect([app.locked, app.heard, keptDay()]).toEqual([true, null, null]);
    expect(app.outbox.ops.length).toBe(1);
  });

  it('does not show the day of another crew that is signed in in this browser', async () => {
    const app = await signedIn();
    answers = { today: () => day('C2') };
    await app.read();
    expect([app.locked, app.heard?.today.crew]).toEqual([true, 'C1']);
  });

  it('keeps the last day where a page of the network is in its place', async () => {
    const app = await signedIn();
    answers = { today: () => new Response('<html>') };
    await app.read();
    expect([app.locked, app.reached, app.heard?.today.crew]).toEqual([false, false, 'C1']);
  });
});

describe('a code', () => {
  it('that was not answered lets no other code in', async () => {
    const app = await tab();
    answers = { 'sign-in': answers['sign-in']! };
    expect((await app.signIn('12345678', 'phone'))?.status).toBe(0);
    answers = { 'sign-in': () => json(403, { code: 'code_refused' }), session: () => session('C1'), today: () => day('C1') };
    expect((await app.signIn('87654321', 'phone'))?.code).toBe('code_refused');
    expect(app.who).toBe(null);
  });

  it('pressed again is taken for the one that was spent, and one that never got here is refused', async () => {
    const app = await tab();
    answers = {};
    expect((await app.signIn('12345678', 'phone'))?.status).toBe(0);
    answers = { 'sign-in': () => json(403, { code: 'code_refused' }), session: () => json(401, { code: 'not_signed_in' }) };
    expect((await app.signIn('12345678', 'phone'))?.code).toBe('code_refused');
    const other = await tab();
    answers = {};
    expect((await other.signIn('12345678', 'phone'))?.status).toBe(0);
    answers = { 'sign-in': () => json(403, { code: 'code_refused' }) };
    expect((await other.signIn('12345678', 'phone'))?.status).toBe(0);
    answers = { 'sign-in': () => json(403, { code: 'code_refused' }), session: () => session('C1'), today: () => day('C1') };
    expect(await other.signIn('12345678', 'phone')).toBe(null);
    expect(other.who?.crew).toBe('C1');
  });
});

describe('two words pressed one after the other', () => {
  it('are kept in that order, however long the place of the first takes to be found', async () => {
    const app = await signedIn();
    answers = {};
    const fresh = vi.spyOn(app.places, 'fresh').mockImplementationOnce(() => new Promise((yes) => setTimeout(() => yes(null), 60)));
    await Promise.all([app.say('T1', 'check-in'), app.say('T1', 'hazard')]);
    expect(app.outbox.ops.map((op) => op.what)).toEqual(['check-in', 'hazard']);
    expect(fresh).toHaveBeenCalledTimes(2);
  });
});
