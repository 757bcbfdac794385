import { describe, expect, it, vi } from 'vitest';
import { en as codesEn } from '../../src/desk/messages/codes.en';
import { zh as codesZh } from '../../src/desk/messages/codes.zh';
import { en as panelEn } from '../../src/desk/messages/panel.en';
import { zh as panelZh } from '../../src/desk/messages/panel.zh';
import { facts, leftOut, moved, priceLine, type Said } from '../../src/desk/panel/reasons';
import { groundsText } from '../../src/lib/grounds';
import { en } from '../../src/lib/messages/en';
import { zh } from '../../src/lib/messages/zh';
import type { Choice, Displacement } from '../../src/lib/wire';

// The words ask the page for its language as soon as they are read.
vi.hoisted(() => {
  vi.stubGlobal('location', { search: '' });
  vi.stubGlobal('localStorage', { getItem: () => null });
});

const now = Date.UTC(2026, 0, 14, 4) / 1000;
const chinese: Said = { t: zh, w: panelZh, c: codesZh, now, zone: 'Asia/Shanghai' };
const english: Said = { t: en, w: panelEn, c: codesEn, now, zone: 'Asia/Shanghai' };
const late: Displacement = { ticket: 'x', level: 'yellow', address: '和兴路 56 号', was_at: now, crew: 'C2', start_at: now + 1860, late_s: 600 };
const choice = (arrive: number, more: Partial<Choice> = {}): Choice => ({
  crew: 'C1', crew_name: '3 组', arrive_at: now + arrive, start_at: now + arrive, end_at: now + arrive + 1800, sure_s: 120, distance_m: 2140,
  score: {}, total: 0, facts: { drive_s: 480, visits_here: 4, in_hand: 0, degree_hours_m: 38_400, pieces_needed: 2, pieces_on_van: 1 },
  after: null, displaced: [], newly_late: [], ...more,
});

describe('why a crew', () => {
  it('is said with its unit, and whether it speaks for the crew', () => {
    const found = Object.fromEntries(facts(choice(480), chinese).map((fact) => [fact.id, [fact.value, fact.good]]));
    expect(found).toEqual({
      arrival: ['12:08', null], distance: ['2.1 km · 8 分', null], late: ['0 张', null], parts: ['1 / 2 件', false],
      visits: ['来过 4 次', true], in_hand: ['0 张 · 空闲', true], impact: ['每时 38.4 °C·h', null],
    });
  });
  it('does not come nearer while nobody is sent', () => {
    const [standing] = facts(choice(480), { ...chinese, now: now + 300 });
    expect(standing?.value).toBe('12:13');
  });
  it('is said in English too', () => {
    expect(facts(choice(480), english).find((fact) => fact.id === 'visits')?.value).toBe('4 visits');
  });
});

describe('what another crew costs', () => {
  it('is how much later, who gives way and who breaches', () => {
    expect(priceLine(choice(1140, { newly_late: [late, late] }), choice(480), chinese)).toBe('晚 11 分，另有 2 张超时');
    expect(priceLine(choice(1140, { newly_late: [late, late] }), choice(480), english)).toBe('11 min later, 2 others breach');
    expect(priceLine(choice(500), choice(480), chinese)).toBe('到达时间相当，无其他工单超时');
    expect(priceLine(choice(60, { displaced: [late], facts: {} }), choice(480), chinese)).toBe('早 7 分，1 张工单让单，无其他工单超时');
  });
  it('names each ticket with its new time', () => {
    expect(moved(late, chinese, () => '11 组')).toBe('和兴路 56 号（黄）改 12:31 由11 组，超时 10 分');
    expect(moved({ ...late, crew: null, start_at: null }, english, () => '')).toBe('和兴路 56 号 (Yellow): nobody has it today');
  });
});

it('rules stand by how many crews they left out', () => {
  expect(leftOut({ trade: 2, position_lost: 5, of_tomorrow: 2 }, codesZh).map((one) => `${one.name} ${one.n}`)).toEqual([
    '定位中断 5', 'of_tomorrow 2', '工种不符 2',
  ]);
});

describe('the grounds of an assignment in Chinese', () => {
  it.each([
    ['assigned by hand, not scored; reason: first assignment', '人工派工，未评分；首次派工'],
    ['assigned by hand, not scored; reason: no_answer; 2 tickets give way', '人工派工，未评分；原因：班组无应答；2 张工单让单'],
    [
      'proposal 1 of 3: best of 9 able crews: 8 min, 2.1 km, indoor, 4 visits to this building, no ticket late',
      '第 1 建议（共 3）：9 个可派班组中最佳：8 分后开工，路程 2.1 km，户内，来过本楼 4 次，无工单超时',
    ],
    [
      'proposal 2 of 3: 11 组 instead of 3 组: 5 min later, 1 other ticket late; reason: knows_better',
      '第 2 建议（共 3）：改派 11 组，不派 3 组：晚 5 分，另有 1 张超时；原因：了解现场情况',
    ],
    ['the deadline of the clock respond has passed', '响应时限已过'],
    ['permit confined_space written', '已开有限空间作业票'],
  ])('%s', (text, said) => {
    expect(groundsText(text, 'zh')).toBe(said);
    expect(groundsText(text, 'en')).toBe(text);
  });
});
