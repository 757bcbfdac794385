// Numbers and times as the screens write them.
import { describe, expect, it } from 'vitest';
import { beaufort, compassPoint, decimal, duration, hms, longDate, moment, signedPercent } from '../src/lib/format';
import { en } from '../src/lib/messages/en';
import { zh } from '../src/lib/messages/zh';

const AT = 1768347738;
const ZONE = 'Asia/Shanghai';

describe('format', () => {
  it('writes a real minus sign, and none before zero', () => {
    expect([decimal(-27.4), decimal(-0.04), decimal(18, 0)]).toEqual(['−27.4', '0.0', '18']);
    expect([signedPercent(0.31), signedPercent(-0.118), signedPercent(0.001)]).toEqual(['+31%', '−12%', '±0%']);
  });

  it('writes durations in at most two units', () => {
    const all = [12, 59.9, 60, 1080, 4320, 7200, 90_000].map((seconds) => duration(seconds, zh));
    expect(all).toEqual(['12 秒', '59 秒', '1 分', '18 分', '1 时 12 分', '2 时', '1 天 1 时']);
    expect(duration(4320, en)).toBe('1 h 12 min');
  });

  it('writes times in the city’s zone', () => {
    expect(hms(AT, ZONE)).toBe('07:42:18');
    expect(longDate(AT, ZONE, zh)).toBe('1月14日 星期三');
    expect(longDate(AT, ZONE, en)).toBe('Wed 14 Jan');
    expect(moment(AT - 60, AT, ZONE, zh)).toBe('07:41');
    expect(moment(AT - 86_400, AT, ZONE, zh)).toBe('1/13 07:42');
  });

  it('names the wind', () => {
    expect([0, 0.2, 6.5, 12, 40].map(beaufort)).toEqual([0, 0, 4, 6, 12]);
    expect([0, 315, 338, 359, -45].map(compassPoint)).toEqual([0, 7, 0, 0, 7]);
  });
});
