// Another time, agreed with a resident whose door stayed shut. Pure.
import { zoned } from './zoned';

/** As typed: YYYY-MM-DD, HH:MM, HH:MM; empty where nothing is. */
export interface Wish {
  day: string;
  from: string;
  until: string;
}

export type Rebook =
  | { is: 'none' }
  | { is: 'window'; from_at: number; until_at: number }
  | { is: 'half' | 'backwards' | 'past' };

/** `now`: business time, Unix seconds. */
export function rebooked(wish: Wish, zone: string, now: number): Rebook {
  const typed = [wish.day, wish.from, wish.until].filter((one) => one !== '').length;
  if (typed < 3) return { is: typed === 0 ? 'none' : 'half' };
  const from_at = zoned(`${wish.day}T${wish.from}`, zone);
  const until_at = zoned(`${wish.day}T${wish.until}`, zone);
  if (until_at <= from_at) return { is: 'backwards' };
  return until_at <= now ? { is: 'past' } : { is: 'window', from_at, until_at };
}
