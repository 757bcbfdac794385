// The small sums of the views: the arrival curve, the loop's steps, a file's header, what contradicts, who was reached.
import { describe, expect, it } from 'vitest';
import { met, type ExternalCase } from '../../src/intake/cases/types';
import { contradicting, type Records } from '../../src/intake/contradictions/types';
import { cells, columnsOf, headerOf } from '../../src/intake/imports/header';
import { parts, sending, type Campaign } from '../../src/intake/reminders/types';
import { bars, localDay, minutes } from '../../src/intake/suspensions/days';
import { steps } from '../../src/intake/suspensions/loop';
import type { Stop } from '../../src/intake/suspensions/types';

describe('the arrival curve', () => {
  it('has every day of its span, over the end of a month too', () => {
    expect(bars([{ day: '2026-10-31', n: 7 }], '2026-11-01', 3)).toEqual([
      { day: '2026-10-30', n: 0 },
      { day: '2026-10-31', n: 7 },
      { day: '2026-11-01', n: 0 },
    ]);
  });
  it('counts days where the city lies', () => {
    expect(localDay(Date.UTC(2026, 0, 13, 20) / 1000, 'Asia/Shanghai')).toBe('2026-01-14');
  });
  it('writes minutes', () => {
    expect([0, 6, 270, 2220, 360_000].map(minutes)).toEqual(['0', '0.1', '4.5', '37', '6,000']);
  });
});

describe('the suspension loop', () => {
  const stop = (more: Partial<Stop>): Stop =>
    ({ state: 'referred', applied_at: 10, answered_at: null, visit_due_at: null, completed_at: null, known_by: null, awaited: [], closed_at: null, ...more }) as Stop;
  const states = (more: Partial<Stop>, now = 100): string => steps(stop(more), now).map(({ state }) => state).join(' ');
  it('waits at one step', () => {
    expect(states({})).toBe('done waits later later later');
    expect(states({ state: 'approved', answered_at: 11, visit_due_at: 200 })).toBe('done done waits later later');
  });
  it('says which step is late', () => {
    expect(states({ state: 'approved', answered_at: 11, visit_due_at: 99 })).toBe('done done late later later');
    expect(states({ state: 'completed', answered_at: 11, completed_at: 20, awaited: ['finance'], known_by: 50 })).toBe('done done done late later');
  });
  it('ends at a refusal and at the closed loop', () => {
    expect(states({ state: 'refused', answered_at: 11 })).toBe('done done over over over');
    expect(states({ state: 'closed', answered_at: 11, completed_at: 20, closed_at: 30 })).toBe('done done done done done');
  });
});

describe('the header of a file', () => {
  it('is cut by what separates most, quotes respected', () => {
    expect(columnsOf('\uFEFF户号,面积(㎡),备注\r\n1,2,3')).toEqual(['户号', '面积(㎡)', '备注']);
    expect(columnsOf('a;b,c;d\n')).toEqual(['a', 'b,c', 'd']);
    expect(cells('"x ""y"", z",b', ',')).toEqual(['x "y", z', 'b']);
  });
  it('is read in UTF-8 and in GB18030, and of no other file', async () => {
    const gb = new Uint8Array([0xbb, 0xa7, 0xba, 0xc5, 0x2c, 0x61, 0x0a]); // 户号,a
    expect(await headerOf(new File([gb], 'x.csv'))).toEqual(['户号', 'a']);
    expect(await headerOf(new File(['户号,a\n'], 'x.CSV'))).toEqual(['户号', 'a']);
    expect(await headerOf(new File(['PK'], 'x.xlsx'))).toEqual([]);
  });
});

describe('a contradiction', () => {
  const records = (more: Partial<Records>): Records => ({ service: 'heated', application: null, network: null, valve: 'unknown', billing: null, ...more }) as Records;
  const bad = (kind: Parameters<typeof contradicting>[0], more: Partial<Records> = {}): string => [...contradicting(kind, records(more))].sort().join(' ');
  it('marks the records that cannot all be true', () => {
    expect(bad('suspended_yet_connected')).toBe('network service');
    expect(bad('suspended_yet_billed')).toBe('billing service');
    expect(bad('valve_open')).toBe('service valve');
  });
  it('marks everybody who holds a flat stopped that nobody granted', () => {
    expect(bad('marked_without_application', { billing: 'base' })).toBe('application billing');
    expect(bad('marked_without_application', { network: 'disconnected', valve: 'sealed', service: 'suspended' })).toBe('application network service valve');
    expect(bad('marked_without_application', { application: 'a', network: 'disconnected', billing: 'base' })).toBe('application network');
  });
});

describe('a reminder', () => {
  it('counts every recipient once', () => {
    const one = { recipients: 100, sent: 60, delivered: 45, failed: 5, without_phone: 10 } as Campaign;
    const counted = parts(one, 25);
    expect(counted.map(({ n }) => n)).toEqual([45, 15, 25, 5, 10]);
    expect(counted.reduce((sum, { n }) => sum + n, 0)).toBe(one.recipients);
  });
});

describe('the hours of sending', () => {
  it('end before their last minute', () => {
    const rules = { days_before: [7], send_from: '09:00', send_until: '20:00' };
    expect(['08:59', '09:00', '19:59', '20:00'].map((time) => sending(rules, time))).toEqual([false, true, true, false]);
  });
});

describe('the clocks of a case', () => {
  it('are met one after the other, and run anew when it is returned', () => {
    const at = (state: string): boolean[] => (['sign_for', 'contact', 'reply'] as const).map((clock) => met({ state } as ExternalCase, clock));
    expect(at('received')).toEqual([false, false, false]);
    expect(at('contacted')).toEqual([true, true, false]);
    expect(at('closed')).toEqual([true, true, true]);
    expect(at('returned')).toEqual([false, false, false]);
  });
});
