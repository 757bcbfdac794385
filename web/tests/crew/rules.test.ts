// What the phone believes, in which order it speaks, and what it says is next.
import { describe, expect, it } from 'vitest';
import { textOf } from '../../src/crew/device';
import { believe } from '../../src/crew/fold';
import { zh as app } from '../../src/crew/messages/app.zh';
import { zh as codes } from '../../src/crew/messages/codes.zh';
import { isOver, nextOf, wantsCrew } from '../../src/crew/next';
import { pause, sendable, thinned } from '../../src/crew/order';
import { fits } from '../../src/crew/picture';
import { amapLink, baiduLink, comeBackText, mapLink, overText, stale, waitsFor } from '../../src/crew/texts';
import type { Op, PhotoOp, Slot, SlotView, Step, StepOp, Visit } from '../../src/crew/types';
import { zoned } from '../../src/crew/zoned';

const visit = (more: Partial<Visit> = {}): Visit => ({
  ticket: 'T1', version: 1, state: 'dispatched', kind: 'leak', order: 1, start_at: null, until_at: null, with_crew: null,
  address: '经纬街128号', flat: null, words: [], resident: null, level: 'red', due_at: null, appointed: null,
  green_channel: false, dangers: [], lon: 126.64, lat: 45.76,
  valves: [{ id: 'B1', kind: 'building', name: '3 单元立管', lon: null, lat: null, state: 'open' }],
  slots: [{ slot: 'fault_point', state: 'owed', why: [] }, { slot: 'in_progress', state: 'owed', why: [] }],
  verdict: 'pending', nonces: {}, parts: {}, unnamed: false, check_in: null, unanswered: 0, photos_waived: false, history: [], ...more,
});
let id = 0;
const queued = (ticket: string) => ({
  id: (id += 1), key: `key-${id}`, crew: 'C1', ticket, said_at: 0, state: 'queued' as const, tries: 0, next_at: 0, refusal: null, done_at: null,
});
const step = (what: Step, body: Record<string, unknown> = {}, more: Partial<StepOp> = {}): StepOp => ({
  ...queued('T1'), what, body: { at_device_ms: 5000, ...body }, sent: [], ...more,
});
const photo = (slot: Slot, more: Partial<PhotoOp> = {}): PhotoOp => ({
  ...queued('T1'), what: 'photo', upload: null, have: 0, said: [],
  body: { slot, sha256: '', bytes: 1, media_type: 'image/jpeg', source: 'camera' }, ...more,
});
const act = (ops: Op[], of = visit(), at = 1): string => nextOf(believe(of, ops, at)).act;

describe('what is believed', () => {
  it('goes on step by step without the server', () => {
    const said: Op[] = [];
    const acts = [act(said)];
    for (const op of [step('accept'), step('en-route'), step('check-in'), photo('fault_point'), photo('in_progress'), step('done')]) {
      said.push(op);
      acts.push(act(said));
    }
    expect(acts).toEqual(['accept', 'en-route', 'check-in', 'photo', 'photo', 'done', 'over']);
    const now = believe(visit(), said.slice(0, 4), 1);
    expect(now.slots.map((view) => view.state)).toEqual(['taken', 'owed']);
    expect(now.visitKey).toBe(said[2]?.key);
    expect([now.onSite, now.check_in?.in_at, now.waiting]).toEqual([true, 5, 4]);
  });

  it('leaves out what was refused, and what the server has since spoken of', () => {
    expect(act([step('accept', {}, { state: 'refused' })])).toBe('accept');
    const done = step('accept', {}, { state: 'done', done_at: 100 });
    expect(act([done], visit(), 50)).toBe('en-route');
    expect(act([done], visit(), 200)).toBe('accept');
    const said = [photo('fault_point', { state: 'done', done_at: 100 })];
    const again = visit({ slots: [{ slot: 'fault_point', state: 'again', why: [] }] });
    expect(believe(again, said, 200).slots[0]?.state).toBe('again');
  });

  it('knows that it is on its way after the server has heard so, until it leaves', () => {
    const heard = step('en-route', {}, { state: 'done', done_at: 1 });
    expect(act([heard], visit({ state: 'confirmed' }), 100)).toBe('check-in');
    const left = step('no-answer', {}, { state: 'done', done_at: 2 });
    expect(act([heard, left], visit({ state: 'dispatched' }), 100)).toBe('accept');
    expect(act([heard, left, step('accept')], visit({ state: 'dispatched' }), 100)).toBe('en-route');
  });

  it('holds a valve shut or unvented against done, and says which', () => {
    const ops: Op[] = [step('check-in'), photo('fault_point'), photo('in_progress'), step('valve', { valve: 'B1', to: 'closed' })];
    expect(nextOf(believe(visit(), ops, 1))).toMatchObject({ act: 'done', can: false, shut: ['3 单元立管'] });
    ops.push(step('valve', { valve: 'B1', to: 'open', vented: false }));
    expect(nextOf(believe(visit(), ops, 1))).toMatchObject({ can: false, shut: [], unvented: ['3 单元立管'] });
    ops.push(step('valve', { valve: 'B1', to: 'open', vented: true }));
    expect(nextOf(believe(visit(), ops, 1)).can).toBe(true);
    const own = believe(visit(), [step('valve', { valve: '楼道阀', name: '楼道阀', to: 'closed' })], 1);
    expect(own.valves.map((valve) => valve.state)).toEqual(['open', 'closed']);
  });

  it('asks for planned parts before done, and checks in at one place at a time', () => {
    const there = visit({ state: 'handling', check_in: { in_at: 1 }, slots: [], parts: { 闸阀: 1 } });
    expect(act([], there)).toBe('parts');
    expect(act([step('parts-used')], there)).toBe('done');
    const next = nextOf(believe(visit({ state: 'handling' }), [], 1), '中山路 1 号');
    expect(next).toMatchObject({ act: 'check-in', can: false, elsewhere: '中山路 1 号' });
    expect(act([step('check-in'), step('check-out')], visit({ state: 'handling' }))).toBe('check-in');
  });

  it('comes back for photos that are wanted again', () => {
    const again = visit({ state: 'verifying', slots: [{ slot: 'fault_point', state: 'again', why: [] }] });
    expect(act([], again)).toBe('check-in');
    expect(act([step('check-in')], again)).toBe('photo');
    expect(act([], visit({ state: 'verifying', slots: [] }))).toBe('over');
  });

  it('comes back for a photo that was refused, and says why, until it is taken anew and done is said', () => {
    const refused = visit({
      state: 'verifying', verdict: 'block', parts: { 闸阀: 1 },
      slots: [{ slot: 'fault_point', state: 'accept', why: [] }, { slot: 'room', state: 'block', why: ['sharp', 'lit'] }],
    });
    const said: Op[] = [];
    const acts = [act(said, refused)];
    for (const op of [step('check-in'), photo('room'), step('done')]) {
      said.push(op);
      acts.push(act(said, refused));
    }
    expect(acts).toEqual(['check-in', 'photo', 'done', 'over']);
    const told = believe(refused, [], 1);
    expect([wantsCrew(told), isOver(told), overText(told, app)]).toEqual([true, false, null]);
    expect(comeBackText(told, app, codes)).toBe('须返回补拍：房间（不清晰）');
    expect(comeBackText(believe(refused, said, 1), app, codes)).toBe(null);
    const missing = believe(visit({ state: 'verifying', verdict: 'missing' }), [], 1);
    expect(comeBackText(missing, app, codes)).toBe('须返回补拍：故障点、维修过程');
    expect(wantsCrew(believe(visit({ state: 'verifying', photos_waived: true, verdict: 'accept' }), [], 1))).toBe(false);
  });

  it('says on site which photo was refused, after those that are missing, and keeps nobody there for it', () => {
    const slots: SlotView[] = [{ slot: 'room', state: 'block', why: [] }, { slot: 'windows', state: 'owed', why: [] }];
    const there = visit({ state: 'handling', check_in: { in_at: 1 }, slots });
    expect(nextOf(believe(there, [], 1))).toMatchObject({ act: 'photo', slot: 'windows', missing: ['windows'], blocked: ['room'] });
    expect(nextOf(believe(there, [photo('windows')], 1))).toMatchObject({ act: 'done', can: true, slot: 'room', blocked: ['room'] });
  });

  it('is in doubt where it was checked in without a position', () => {
    const fix = { lon: 126.64, lat: 45.76, datum: 'wgs84', accuracy_m: 8, at_ms: 1 };
    const doubt = (op: Op): boolean | undefined => believe(visit(), [op], 1).check_in?.needs_review;
    expect([doubt(step('check-in')), doubt(step('check-in', { fix }))]).toEqual([true, false]);
  });

  it('comes back where its check-in was refused', () => {
    const taken = [{ slot: 'fault_point' as const, state: 'review' as const, why: [] }];
    expect(act([], visit({ state: 'verifying', slots: taken, verdict: 'review' }))).toBe('over');
    expect(act([], visit({ state: 'verifying', slots: taken, verdict: 'missing' }))).toBe('check-in');
    const unseen = believe(visit({ state: 'verifying', slots: taken, verdict: 'missing' }), [], 1);
    expect(comeBackText(unseen, app, codes)).toBe('签到未获认可：须返回重新签到');
  });
});

describe('the order of sending', () => {
  const of = (ticket: string, more: Partial<StepOp> = {}): StepOp => ({ ...step('accept'), ticket, ...more });

  it('holds back what was said later of a ticket, and lets other tickets go on', () => {
    const [a, b, other] = [of('A', { next_at: 500 }), of('A'), of('B')];
    expect(sendable([b, other, a], 'C1', 100)).toEqual([other]);
    expect(sendable([b, other, a], 'C1', 500)).toEqual([a, other]);
    expect(sendable([{ ...a, state: 'refused' }, b], 'C1', 100)).toEqual([b]);
    expect(sendable([a, b, other], 'C2', 900)).toEqual([]);
  });

  it('waits longer after every try, and never more than about five minutes', () => {
    const waits = [0, 1, 2, 5, 30].map((tries) => pause(tries, 0.5));
    expect(waits).toEqual([2000, 4000, 8000, 64_000, 300_000]);
  });

  it('thins the oldest fixes and keeps the newest whole', () => {
    const day = 86_400_000;
    const fixes = Array.from({ length: 100 }, (_, n) => ({ id: n, at_ms: 100 * day + n }));
    const gone = new Set(thinned([{ id: -1, at_ms: 0 }, ...fixes], 100 * day, 80, 60));
    expect(gone.has(-1)).toBe(true);
    expect(gone.size).toBe(21);
    expect(fixes.slice(50).every((fix) => !gone.has(fix.id))).toBe(true);
    const most = thinned(fixes, 100 * day, 3, 60);
    expect([new Set(most).size, most.length]).toEqual([97, 97]);
  });
});

describe('what waits', () => {
  const refusal = (status: number) => ({ status, code: '', detail: '', what_to_do: '' });

  it('says why it is still on the phone', () => {
    const on = (of: Partial<StepOp>, reached = true, locked = false): string => waitsFor([step('accept', {}, of)], reached, locked, app);
    expect([on({ state: 'done' }), on({ state: 'refused' }, false), on({})]).toEqual(['', '', '']);
    expect([on({}, false), on({ refusal: refusal(0) })]).toEqual([app.waitsSignal, app.waitsSignal]);
    expect([on({ refusal: refusal(503) }), on({ refusal: refusal(409) })]).toEqual([app.waitsServer, app.waitsServer]);
    expect([on({ refusal: refusal(401) }), on({}, false, true)]).toEqual([app.waitsSignIn, app.waitsSignIn]);
  });

  it('tells a day that was heard too long ago', () => {
    expect([stale(0, 600_000), stale(0, 600_001)]).toEqual([false, true]);
  });
});

describe('the way there', () => {
  it('tells each map that the degrees are WGS-84', () => {
    expect(mapLink(126.64, 45.76, '经纬街', 'Android')).toMatch(/^geo:45\.76,126\.64\?/);
    expect(amapLink(126.64, 45.76, '经纬街')).toContain('to=126.64,45.76,%E7%BB%8F');
    expect(amapLink(126.64, 45.76, '经纬街')).toContain('coordinate=wgs84');
    expect(baiduLink(126.64, 45.76, '经纬街')).toContain('location=45.76,126.64');
    expect(baiduLink(126.64, 45.76, '经纬街')).toContain('coord_type=wgs84');
  });
});

describe('photos and times', () => {
  it('signs the text that the server builds', () => {
    const fix = { lon: 126.64, lat: 45.76, datum: 'wgs84' as const, accuracy_m: 8, at_ms: 1 };
    const of = { nonce: 'n', sha256: 'ab', captured_at_ms: 12, ticket: 'T1', slot: 'room', visit: 'k', fix };
    expect(textOf(of)).toBe('heatops-photo-1\nn\nab\n12\nT1\nroom\nk\n126.64,45.76,8');
    expect(textOf({ ...of, visit: null, fix: null })).toBe('heatops-photo-1\nn\nab\n12\nT1\nroom\n\n,,');
  });

  it('tells a photo by its first bytes', () => {
    const bytes = (text: string): ArrayBuffer => Uint8Array.from(text, (one) => one.charCodeAt(0)).buffer;
    expect(fits(bytes('\xff\xd8\xff\xe0 a jpeg'))).toBe('image/jpeg');
    expect(fits(bytes('\x89PNG\r\n\x1a\n....'))).toBe('image/png');
    expect(fits(bytes('\0\0\0\x18ftypheic'))).toBe('image/heic');
    expect(fits(bytes('\0\0\0\x18ftypisom'))).toBe(null);
    expect(fits(bytes('GIF89a......'))).toBe(null);
  });

  it('reads a wall clock in the company’s zone', () => {
    expect(zoned('2026-01-14T12:30', 'Asia/Shanghai')).toBe(Date.UTC(2026, 0, 14, 4, 30) / 1000);
    expect(zoned('2026-07-01T00:00', 'Europe/Berlin')).toBe(Date.UTC(2026, 5, 30, 22, 0) / 1000);
  });
});
