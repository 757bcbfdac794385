// Numbers, durations and times as the screens write them.
import type { Messages } from './messages/zh';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const count = (n: number): string => grouped.format(n);

/** With the real minus sign (U+2212) and exactly `digits` decimals. */
export const decimal = (n: number, digits = 1): string => {
  const text = Math.abs(n).toFixed(digits);
  return n < 0 && Number(text) !== 0 ? `−${text}` : text;
};

export const signedPercent = (share: number): string => {
  const whole = Math.round(share * 100);
  return whole > 0 ? `+${count(whole)}%` : whole < 0 ? `−${count(-whole)}%` : '±0%';
};

/** At most two units: 12 秒, 18 分, 1 时 12 分, 3 天 4 时. */
export function duration(seconds: number, t: Messages): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return t.seconds(whole);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return t.minutes(minutes);
  const hours = Math.floor(minutes / 60);
  const [rest, over] = hours < 24 ? [minutes % 60, t.minutes] : [hours % 24, t.hours];
  const head = hours < 24 ? t.hours(hours) : t.days(Math.floor(hours / 24));
  return rest === 0 ? head : `${head} ${over(rest)}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${zone} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
    formats.set(key, found);
  }
  return found;
}

const at = (unix: number): Date => new Date(unix * 1000);

export const hms = (unix: number, zone: string): string =>
  format('en-GB', zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(at(unix));

export const hm = (unix: number, zone: string): string =>
  format('en-GB', zone, { hour: '2-digit', minute: '2-digit' }).format(at(unix));

export function longDate(unix: number, zone: string, t: Messages): string {
  const date = format(t.locale, zone, { month: t.locale === 'zh-CN' ? 'long' : 'short', day: 'numeric' });
  const weekday = format(t.locale, zone, { weekday: t.locale === 'zh-CN' ? 'long' : 'short' });
  const [day, name] = [date.format(at(unix)), weekday.format(at(unix))];
  return t.locale === 'zh-CN' ? `${day} ${name}` : `${name} ${day}`;
}

/** HH:MM today, with the date in front on any other day. */
export function moment(unix: number, now: number, zone: string, t: Messages): string {
  const day = format(t.locale, zone, { month: 'numeric', day: 'numeric' });
  const [then, today] = [day.format(at(unix)), day.format(at(now))];
  return then === today ? hm(unix, zone) : `${then} ${hm(unix, zone)}`;
}

/** Beaufort force of a wind, m/s (WMO table: v = 0.836 B^1.5). */
export const beaufort = (mps: number): number => Math.min(12, Math.round((mps / 0.836) ** (2 / 3)));

/** Index 0-7 of the compass point that a bearing is nearest to, north first, clockwise. */
export const compassPoint = (degrees: number): number => (((Math.round(degrees / 45) % 8) + 8) % 8);
