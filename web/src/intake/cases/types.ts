// What the calls about external cases answer; times are Unix seconds.
import type { Traced } from '../../lib/api';
import type { Case } from '../types';

export type CaseClock = 'sign_for' | 'contact' | 'reply';
export const CLOCKS: readonly CaseClock[] = ['sign_for', 'contact', 'reply'];

export interface ExternalCase extends Case {
  version: number;
  clocks: Record<CaseClock, number>;
  extended: number;
  returned: number;
  satisfied: boolean | null;
  replied_at: number | null;
  closed_at: number | null;
  told: { status: string; way: string; at: number }[];
  possible: string[];
}

export interface CaseRecord extends Traced {
  case: ExternalCase;
  words: { version: number; text: string }[];
}

export interface Message {
  id: number;
  channel: string;
  target: string;
  kind: string;
  state: string;
  attempts: number;
  written_at: number;
  sent_at: number | null;
  delivered_at: number | null;
  way: string | null;
  error: string | null;
}

/** Whether a clock of a case has been met, by the case's state. */
export function met(one: ExternalCase, clock: CaseClock): boolean {
  const rank = { received: 0, returned: 0, signed: 1, contacted: 2, replied: 3, closed: 3 }[one.state] ?? 0;
  return rank > CLOCKS.indexOf(clock);
}
