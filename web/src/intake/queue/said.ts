// How the views write who did something, and how long is left.
import { duration } from '../../lib/format';
import type { Messages } from '../../lib/messages/zh';
import type { Level } from '../../lib/wire';

/** `person:admin` as it stands in the journal: the name is what is read. */
export function actorText(actor: string, t: Messages): string {
  const [kind = '', name = ''] = actor.split(/:(.*)/s);
  if (kind === 'person' && name !== '') return name;
  // The core and its jobs have no name that would tell anybody anything.
  const what = kind === 'system' ? t.actor['engine'] : t.actor[kind];
  return kind === 'system' || name === '' ? (what ?? kind) : `${what ?? kind} ${name}`;
}

/** How a deadline stands: red past, yellow near, blue running. */
export function standing(due: number, now: number, nearS: number): Level {
  if (due < now) return 'red';
  return due - now <= nearS ? 'yellow' : 'blue';
}

export const remaining = (due: number, now: number, t: Messages): string =>
  due < now ? t.lateBy(duration(now - due, t)) : t.dueIn(duration(due - now, t));
