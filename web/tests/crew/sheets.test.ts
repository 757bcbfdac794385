// What is open over a visit: it stays with that visit, the Back button closes it, and what is entered there is right.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { BackButton } from '../../src/crew/back';
import type { CrewApp, Shot } from '../../src/crew/crew.svelte';
import { Doings } from '../../src/crew/doing.svelte';
import type { Draft } from '../../src/crew/draft';
import type { Believed } from '../../src/crew/fold';
import { rebooked } from '../../src/crew/rebook';
import type { Fix, Step } from '../../src/crew/types';
import { expectedEnd, turnBody } from '../../src/crew/valves';

const kept = vi.hoisted(() => new Map<string, unknown>());
vi.mock('../../src/crew/db', async (actual) => ({
  isFull: (await actual<typeof import('../../src/crew/db')>()).isFull,
  kept: async (name: string) => kept.get(name),
  keep: async (name: string, value: unknown) => void kept.set(name, value),
}));
beforeEach(() => kept.clear());

const visit = (ticket: string): Believed => ({ ticket, address: `${ticket} 号` }) as Believed;
const draft: Draft = {
  key: 'k1', ticket: 'A', slot: 'room', bytes: new ArrayBuffer(2), media_type: 'image/jpeg', source: 'camera', captured_at_ms: 5, fix: null,
};

class Day {
  visits = [visit('A'), visit('B')];
  heard = {};
  said: [string, Step][] = [];
  photos: [string, Shot][] = [];
  hold: Promise<void> = Promise.resolve();
  fails = false;
  ops: { key: string }[] = [];
  fixes: (Fix | null | undefined)[] = [];
  places = { exact: (): Promise<Fix | null> => Promise.resolve(null) };
  async say(ticket: string, what: Step, _more: Record<string, unknown>, fix?: Fix | null): Promise<void> {
    await this.hold;
    this.fixes.push(fix);
    if (this.fails) throw new DOMException('full', 'QuotaExceededError');
    this.said.push([ticket, what]);
  }
  async photo(of: Believed, _slot: string, shot: Shot): Promise<void> {
    this.photos.push([of.ticket, shot]);
  }
  opsOf = (): { key: string }[] => this.ops;
}
function made(): { day: Day; doing: Doings } {
  const day = new Day();
  return { day, doing: new Doings(day as unknown as CrewApp) };
}

describe('what is open', () => {
  it('stays with the visit it was opened at, and says so when that is gone', () => {
    const { day, doing } = made();
    doing.open('hazard', visit('B'));
    expect(doing.visit?.ticket).toBe('B');
    day.visits = [visit('A')];
    const after = new Doings(day as unknown as CrewApp);
    after.open('hazard', visit('B'));
    expect([after.visit, after.sheet?.name]).toEqual([null, 'hazard']);
  });

  it('closes the camera before the sheet under it', () => {
    const { doing } = made();
    doing.open('no-answer', visit('A'));
    doing.shoot('door', visit('A'));
    doing.close();
    expect([doing.shot, doing.sheet?.name]).toEqual([null, 'no-answer']);
    doing.close();
    expect(doing.sheet).toBe(null);
  });

  it('says a thing once, holds up no other one, and leaves alone what was opened meanwhile', async () => {
    const { day, doing } = made();
    let go = (): void => undefined;
    day.hold = new Promise((yes) => (go = yes));
    const first = [doing.say(visit('A'), 'check-in'), doing.say(visit('A'), 'check-in'), doing.say(visit('A'), 'hazard')];
    expect(doing.busy).toBe(true);
    doing.open('valves', visit('A'));
    go();
    await Promise.all(first);
    expect(day.said).toEqual([['A', 'check-in'], ['A', 'hazard']]);
    expect([doing.busy, doing.sheet?.name]).toEqual([false, 'valves']);
  });

  it('keeps the sheet open where the phone is full', async () => {
    const { day, doing } = made();
    day.fails = true;
    doing.open('hazard', visit('A'));
    await doing.say(visit('A'), 'hazard');
    expect([doing.full, doing.sheet?.name]).toEqual([true, 'hazard']);
  });

  it('keeps the calls made until they are reported, twenty at most', async () => {
    const { doing } = made();
    for (let n = 1; n <= 21; n += 1) doing.called(visit('A'), n);
    expect([doing.calls['A']?.length, doing.calls['A']?.[0], doing.calls['B']]).toEqual([20, 2, undefined]);
    await doing.say(visit('A'), 'no-answer');
    expect(doing.calls['A']).toEqual([]);
  });
});

describe('a check-in', () => {
  const fix: Fix = { lon: 126.6, lat: 45.7, datum: 'wgs84', accuracy_m: 6, at_ms: 1 };

  it('takes the place that was found for it, once', async () => {
    const { day, doing } = made();
    day.places.exact = () => Promise.resolve(fix);
    const first = doing.checkIn(visit('A'));
    expect(doing.finding).toBe('A');
    await Promise.all([first, doing.checkIn(visit('A'))]);
    expect([day.said, day.fixes, doing.finding]).toEqual([[['A', 'check-in']], [fix], null]);
  });

  it('goes on without a place where the crew does not wait, and holds up no hazard meanwhile', async () => {
    const { day, doing } = made();
    day.places.exact = () => new Promise(() => undefined);
    const first = doing.checkIn(visit('A'));
    await doing.say(visit('A'), 'hazard');
    doing.goOn();
    await first;
    expect([day.said, day.fixes]).toEqual([[['A', 'hazard'], ['A', 'check-in']], [undefined, null]]);
  });
});

describe('a photo not yet used', () => {
  it('comes back after the tab was killed, until it is used', async () => {
    const { doing } = made();
    await doing.keepDraft(draft);
    const { day, doing: after } = made();
    await after.restore();
    expect(after.shot).toEqual({ name: 'room', ticket: 'A' });
    await after.keepPhoto(visit('A'), 'room', draft);
    expect(day.photos[0]?.[1]).toMatchObject({ key: 'k1', captured_at_ms: 5, fix: null });
    expect([after.shot, kept.get('draft')]).toEqual([null, null]);
  });

  it('is let go of where it was used as the tab was killed', async () => {
    const { day, doing } = made();
    kept.set('draft', draft);
    day.ops = [{ key: 'k1' }];
    await doing.restore();
    expect([doing.shot, kept.get('draft')]).toEqual([null, null]);
  });
});

describe('the Back button', () => {
  const steps: (string | number)[] = [];
  const history = { pushState: (state: { opened: number }) => void steps.push(`+${state.opened}`), go: (by: number) => void steps.push(by) };
  const settled = (): Promise<void> => Promise.resolve();
  beforeEach(() => void (steps.length = 0));

  it('closes what is on top, and only that', async () => {
    const back = new BackButton(history as never, 0);
    const closed: string[] = [];
    back.opened(() => closed.push('sheet'));
    const letGo = back.opened(() => {
      closed.push('camera');
      letGo();
    });
    await settled();
    expect(steps).toEqual(['+1', '+2']);
    back.went(1);
    await settled();
    expect([closed, steps.length]).toEqual([['camera'], 2]);
  });

  it('takes its entry away where the thing was closed otherwise', async () => {
    const back = new BackButton(history as never, 0);
    const letGo = back.opened(() => expect.unreachable());
    await settled();
    letGo();
    await settled();
    expect(steps).toEqual(['+1', -1]);
    back.opened(() => undefined);
    await settled();
    expect(steps.length).toBe(2);
    back.went(0);
    await settled();
    expect(steps).toEqual(['+1', -1, '+1']);
  });

  it('makes no step where one sheet takes the place of another, and clears what an earlier load left', async () => {
    const back = new BackButton(history as never, 0);
    const letGo = back.opened(() => undefined);
    await settled();
    letGo();
    back.opened(() => undefined);
    await settled();
    expect(steps).toEqual(['+1']);
    new BackButton(history as never, 2);
    await settled();
    expect(steps).toEqual(['+1', -2]);
  });
});

describe('another time', () => {
  const now = Date.UTC(2026, 0, 14, 4, 0) / 1000; // 12:00 in Shanghai
  const is = (day: string, from: string, until: string): string => rebooked({ day, from, until }, 'Asia/Shanghai', now).is;

  it('is a whole window to come, or none', () => {
    expect(is('', '', '')).toBe('none');
    expect([is('2026-01-14', '', ''), is('', '09:00', '10:00'), is('2026-01-14', '14:00', '')]).toEqual(['half', 'half', 'half']);
    expect([is('2026-01-15', '10:00', '09:00'), is('2026-01-15', '10:00', '10:00')]).toEqual(['backwards', 'backwards']);
    expect(is('2026-01-14', '09:00', '12:00')).toBe('past');
    expect(rebooked({ day: '2026-01-14', from: '14:00', until: '16:00' }, 'Asia/Shanghai', now)).toEqual({
      is: 'window', from_at: now + 7200, until_at: now + 14_400,
    });
  });
});

describe('a valve', () => {
  it('is shut with the time at which heat is expected back, on a quarter of an hour', () => {
    const at = Date.UTC(2026, 0, 14, 4, 1) / 1000;
    const end = expectedEnd(2, at);
    expect([end % 900, end - at > 7199, end - at < 8100]).toEqual([0, true, true]);
    expect(turnBody({ id: 'S07', name: '七号站' }, { to: 'closed', expected_end_at: end })).toEqual({ valve: 'S07', to: 'closed', expected_end_at: end });
    expect(turnBody({ id: '楼道阀', name: '楼道阀', own: true }, { to: 'open', vented: true })).toEqual({
      valve: '楼道阀', to: 'open', vented: true, name: '楼道阀',
    });
  });
});
