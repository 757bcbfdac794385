// What the calls about addresses without a door answer; times are Unix seconds.
import type { Candidate } from '../types';

export interface Question {
  id: number;
  asked_at: number;
  origin: string;
  /** `ticket:<id>`, or what asked otherwise. */
  reference: string;
  text: string;
  score: number;
  reason: string;
  candidates: Candidate[];
  answered_at: number | null;
  answered_by: string | null;
  building: string | null;
  household: string | null;
  no_such_door: boolean;
}

export interface Lesson {
  alias: string;
  kind: string;
  means: string;
}

export interface Alias extends Lesson {
  taught_by: string;
  taught_at: number;
}

export interface Answered {
  question: Question;
  taught: Lesson[];
  also_answered: number;
  moved: boolean;
}

/** The door that a person means; null: there is none. */
export type Choice = { building: string; address: string; household?: string | null } | null;

export const ticketOf = (reference: string): string | null => /^ticket:(.+)$/.exec(reference)?.[1] ?? null;
