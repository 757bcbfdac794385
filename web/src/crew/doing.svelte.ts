// What is being done at a visit just now: one sheet or the camera is open, or none.
import type { CrewApp, Shot } from './crew.svelte';
import { isFull } from './db';
import { dropDraft, keepDraft, readDraft, type Draft } from './draft';
import type { Believed } from './fold';
import type { Fix, Slot, Step } from './types';

export type SheetName = 'hazard' | 'support' | 'no-answer' | 'more' | 'refuse' | 'valves' | 'parts' | 'second-person';

/** What is open belongs to the visit it was opened at, whatever the page shows meanwhile. */
export interface Pinned<Name> {
  name: Name;
  ticket: string;
}

/** So many calls the server takes with one report. */
const MOST_CALLS = 20;

export class Doings {
  sheet = $state.raw<Pinned<SheetName> | null>(null);
  /** The slot whose photo is being taken. */
  shot = $state.raw<Pinned<Slot> | null>(null);
  busy = $state(false);
  /** Why what was pressed could not even be kept on the phone. */
  full = $state(false);
  /** Who confirms where no resident is, by ticket. */
  second = $state<Record<string, string>>({});
  /** Tickets of which the crew said that no part was used. */
  without = $state<Record<string, boolean>>({});
  /** When the resident was called in vain, by ticket, Unix seconds. */
  calls = $state<Record<string, number[]>>({});
  /** The ticket whose check-in waits for a position. */
  finding = $state<string | null>(null);
  readonly #app: CrewApp;
  readonly #under = new Set<string>();
  #goOn = (): void => undefined;

  constructor(app: CrewApp) {
    this.#app = app;
  }

  /** The visit of what is open, as it is now; null once the day no longer has it. */
  visit = $derived.by<Believed | null>(() => {
    const ticket = this.shot?.ticket ?? this.sheet?.ticket;
    return this.#app.visits.find((one) => one.ticket === ticket) ?? null;
  });

  open(name: SheetName, visit: Believed): void {
    this.full = false;
    this.sheet = { name, ticket: visit.ticket };
  }

  shoot(slot: Slot, visit: Believed): void {
    this.full = false;
    this.shot = { name: slot, ticket: visit.ticket };
  }

  /** The camera alone where it is open over a sheet. */
  close(): void {
    if (this.shot !== null) this.shot = null;
    else this.sheet = null;
  }

  leave(): void {
    if (this.shot !== null) void this.#forget();
    this.shot = null;
    this.sheet = null;
  }

  /** Said once, however often it is pressed meanwhile. */
  async say(visit: Believed, what: Step, more: Record<string, unknown> = {}, found?: Fix | null): Promise<void> {
    const open = this.sheet;
    const kept = await this.#once(`${visit.ticket} ${what} ${JSON.stringify(more)}`, () => this.#app.say(visit.ticket, what, more, found));
    if (kept && what === 'no-answer') this.calls = { ...this.calls, [visit.ticket]: [] };
    if (kept && this.sheet === open) this.sheet = null;
  }

  /** Where the phone is now belongs to it: looked for first, unless the crew goes on without. */
  async checkIn(visit: Believed): Promise<void> {
    if (this.finding !== null) return;
    this.finding = visit.ticket;
    const without = new Promise<null>((yes) => (this.#goOn = () => yes(null)));
    const found = await Promise.race([this.#app.places.exact(), without]);
    this.finding = null;
    await this.say(visit, 'check-in', {}, found);
  }

  /** The check-in that waits is said without a position. */
  goOn(): void {
    this.#goOn();
  }

  /** The resident was called just now, and did not answer. */
  called(visit: Believed, at: number): void {
    this.calls = { ...this.calls, [visit.ticket]: [...(this.calls[visit.ticket] ?? []), at].slice(-MOST_CALLS) };
  }

  /** Nothing was built in: there is nothing to report, and nothing to ask again. */
  noParts(visit: Believed): void {
    this.without = { ...this.without, [visit.ticket]: true };
    this.sheet = null;
  }

  async keepPhoto(visit: Believed, slot: Slot, shot: Shot): Promise<void> {
    const open = this.shot;
    const kept = await this.#once(`${visit.ticket} photo ${slot}`, () => this.#app.photo(visit, slot, shot));
    if (!kept) return;
    if (shot.key !== undefined) await dropDraft(shot.key);
    if (this.shot === open) this.shot = null;
  }

  /** On the phone before it is used: the tab may be killed meanwhile. */
  async keepDraft(draft: Draft): Promise<void> {
    await this.#once(`draft ${draft.key}`, async () => void (await keepDraft(draft)));
  }

  /** The photo that was taken as the tab was killed, to be used or taken again; one that was used already is let go of. */
  async restore(): Promise<void> {
    const draft = await readDraft();
    if (draft === null || this.#app.heard === null) return;
    if (this.#app.opsOf(draft.ticket).some((op) => op.key === draft.key)) await dropDraft(draft.key);
    else this.shot = { name: draft.slot, ticket: draft.ticket };
  }

  async #forget(): Promise<void> {
    const draft = await readDraft();
    if (draft !== null) await dropDraft(draft.key);
  }

  /** False where it is under way already, or could not be kept. */
  async #once(name: string, work: () => Promise<void>): Promise<boolean> {
    if (this.#under.has(name)) return false;
    this.#under.add(name);
    this.busy = true;
    this.full = false;
    try {
      await work();
      return true;
    } catch (error) {
      if (!isFull(error)) throw error;
      this.full = true;
      return false;
    } finally {
      this.#under.delete(name);
      this.busy = this.#under.size > 0;
    }
  }
}
