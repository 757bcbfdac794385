// Days and wall-clock times of the company's zone.
import type { Messages } from '../lib/messages/zh';

/** How far the zone is ahead of UTC at a time, seconds. */
function ahead(unix: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  }).formatToParts(new Date(unix * 1000));
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) / 1000 - unix;
}

/** `local`: YYYY-MM-DDTHH:MM. */
export function zoned(local: string, zone: string): number {
  const asUtc = Date.parse(`${local}:00Z`) / 1000;
  return asUtc - ahead(asUtc - ahead(asUtc, zone), zone);
}

/** Day and month, as on a calendar. */
export const day = (unix: number, zone: string, t: Messages): string =>
  new Intl.DateTimeFormat(t.locale, { timeZone: zone, month: 'short', day: 'numeric' }).format(new Date(unix * 1000));
