// What was sent and not yet answered: each with the key it was first sent under, so that sending again does nothing twice.
import { ApiError, SignedOut } from '../lib/api';
import { hangCase, newKey, send } from './api';
import { caseOf, type Draft } from './call/draft';
import type { Keeper } from './kept';
import type { Application, Case, Proposal, RequestBody, StopBody, Ticket } from './types';

const AGAIN_MS = 4000;

export type Sent =
  | { path: '/api/requests'; body: RequestBody }
  | { path: '/api/suspensions'; body: StopBody };

export type Answer =
  /** `hung`: the case that came with it, or why that was refused. */
  | { is: 'ticket'; ticket: Ticket; hung: Case | Refusal | null }
  | { is: 'application'; application: Application };

export interface Refusal {
  code: string;
  detail: string;
  whatToDo: string;
}

/** Nothing that others work on already can be taken back: a ticket that was there before, or one with a case. */
export const mayUndo = (answer: Answer): boolean =>
  answer.is === 'ticket' && answer.ticket.attached !== true && (answer.hung === null || !('id' in answer.hung));

export interface Entry {
  key: string;
  sent: Sent;
  draft: Draft;
  proposal: Proposal | null;
  tries: number;
  /** sending: on its way; waiting: no answer, to be sent again; refused: the server said no. */
  state: 'sending' | 'waiting' | 'refused';
  refusal: Refusal | null;
}

/** No answer, or one that says nothing about the request itself: the same call may still succeed. */
export function mayPass(error: unknown): boolean {
  if (error instanceof SignedOut) return true;
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500 || error.code === 'key_in_flight');
}

const refusalOf = (error: unknown): Refusal => {
  if (error instanceof SignedOut) return { code: 'not_signed_in', detail: '', whatToDo: '' };
  if (error instanceof ApiError) return { code: error.code, detail: error.message, whatToDo: error.whatToDo };
  return { code: 'internal', detail: String(error), whatToDo: '' };
};

export class Outbox {
  entries = $state<Entry[]>([]);
  #keeper: Keeper;
  #answered: (entry: Entry, answer: Answer) => void;
  #timer: number | undefined;

  constructor(keeper: Keeper, answered: (entry: Entry, answer: Answer) => void) {
    this.#keeper = keeper;
    this.#answered = answered;
    // What was under way when the page went is without an answer.
    this.entries = (keeper.load<Entry[]>('outbox') ?? []).map((entry) =>
      entry.state === 'sending' ? { ...entry, state: 'waiting' } : entry,
    );
  }

  find(key: string): Entry | null {
    return this.entries.find((entry) => entry.key === key) ?? null;
  }

  /** Sends again what has no answer, now and until it has one. */
  start(): () => void {
    const again = (): void => {
      for (const entry of this.entries) if (entry.state === 'waiting') void this.#send(entry.key);
    };
    again();
    this.#timer = window.setInterval(again, AGAIN_MS);
    window.addEventListener('online', again);
    return () => {
      window.clearInterval(this.#timer);
      window.removeEventListener('online', again);
    };
  }

  add(sent: Sent, draft: Draft, proposal: Proposal | null): string {
    const key = newKey();
    this.entries.push({ key, sent, draft, proposal, tries: 0, state: 'waiting', refusal: null });
    void this.#send(key);
    return key;
  }

  again(key: string): void {
    if (this.find(key)?.state === 'waiting') void this.#send(key);
  }

  drop(key: string): void {
    this.entries = this.entries.filter((entry) => entry.key !== key);
    this.#save();
  }

  async #send(key: string): Promise<void> {
    const entry = this.find(key);
    if (entry === null || entry.state === 'sending') return;
    entry.state = 'sending';
    entry.tries += 1;
    this.#save();
    try {
      const answer = await this.#answer(entry);
      const done = this.find(key);
      this.drop(key);
      if (done !== null) this.#answered(done, answer);
    } catch (error) {
      const still = this.find(key);
      if (still === null) return;
      still.state = mayPass(error) ? 'waiting' : 'refused';
      still.refusal = refusalOf(error);
      this.#save();
    }
  }

  /** The ticket first, then its case: sent again, both are answered as the first time. */
  async #answer({ key, sent, draft }: Entry): Promise<Answer> {
    if (sent.path === '/api/suspensions') {
      return { is: 'application', application: await send<Application>(sent.path, sent.body, key) };
    }
    const ticket = await send<Ticket>(sent.path, sent.body, key);
    const brought = caseOf(draft);
    if (brought === null) return { is: 'ticket', ticket, hung: null };
    try {
      return { is: 'ticket', ticket, hung: await hangCase(brought.origin, brought.number, ticket.id, `${key}-case`) };
    } catch (error) {
      if (mayPass(error)) throw error;
      return { is: 'ticket', ticket, hung: refusalOf(error) };
    }
  }

  #save(): void {
    if (this.entries.length === 0) this.#keeper.drop('outbox');
    else this.#keeper.save('outbox', this.entries);
  }
}
