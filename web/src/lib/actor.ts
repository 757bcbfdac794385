// How the screens of seats and dispatchers write who did something.
import type { Messages } from './messages/zh';

/** `person:admin` as it stands in the journal: the name is what is read. */
export function actorText(actor: string, t: Messages): string {
  const [kind = '', name = ''] = actor.split(/:(.*)/s);
  if (kind === 'person' && name !== '') return name;
  // The core and its jobs have no name that would tell anybody anything.
  const what = kind === 'system' ? t.actor['engine'] : t.actor[kind];
  return kind === 'system' || name === '' ? (what ?? kind) : `${what ?? kind} ${name}`;
}
