// What this seat took in last, as one line each.
import type { Level } from '../../lib/wire';
import type { Answer } from '../outbox.svelte';
import type { RequestKind } from '../types';

/** One line of what this seat took in: nothing of a resident. */
export interface Recent {
  id: string;
  is: 'ticket' | 'application';
  kind: RequestKind;
  level: Level | null;
  attached: boolean;
  state: string;
}

export function recentOf(answer: Answer): Recent {
  if (answer.is === 'application') {
    const { id, action, duplicate, state } = answer.application;
    return { id, is: 'application', kind: action, level: null, attached: duplicate, state };
  }
  const { id, kind, level, attached, state } = answer.ticket;
  return { id, is: 'ticket', kind: kind as RequestKind, level, attached: attached === true, state };
}
