// The season's arrival curve as bars: every day of the span has one, also those without an application.
import type { Summary } from './types';

export interface Bar {
  day: string;
  n: number;
}

const DAY_MS = 86_400_000;

/** `days` days up to and including `last`, YYYY-MM-DD. */
export function bars(perDay: Summary['per_day'], last: string, days: number): Bar[] {
  const known = new Map(perDay.map(({ day, n }) => [day, n]));
  const end = Date.parse(`${last}T00:00:00Z`);
  return Array.from({ length: days }, (_, back) => {
    const day = new Date(end - (days - 1 - back) * DAY_MS).toISOString().slice(0, 10);
    return { day, n: known.get(day) ?? 0 };
  });
}

/** The local day of a moment, YYYY-MM-DD. */
export const localDay = (unix: number, zone: string): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(unix * 1000);

/** Minutes with one decimal below ten, whole above: 0.2, 4.5, 37. */
export const minutes = (seconds: number): string => {
  const value = seconds / 60;
  return value < 10 ? (Math.round(value * 10) / 10).toFixed(value === 0 ? 0 : 1) : Math.round(value).toLocaleString('en-US');
};
