// How the views write how a deadline stands, and how long is left.
import { duration } from '../../lib/format';
import type { Messages } from '../../lib/messages/zh';
import type { Level } from '../../lib/wire';

/** How a deadline stands: red past, yellow near, blue running. */
export function standing(due: number, now: number, nearS: number): Level {
  if (due < now) return 'red';
  return due - now <= nearS ? 'yellow' : 'blue';
}

export const remaining = (due: number, now: number, t: Messages): string =>
  due < now ? t.lateBy(duration(now - due, t)) : t.dueIn(duration(due - now, t));
