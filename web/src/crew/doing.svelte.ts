// What is being done at the visit just now: one sheet or the camera is open, or none.
import type { CrewApp } from './crew.svelte';
import { isFull } from './db';
import type { Believed } from './fold';
import type { Slot, Step } from './types';

export type Sheet = 'hazard' | 'support' | 'no-answer' | 'more' | 'refuse' | 'valves' | 'parts' | 'second-person';

export class Doings {
  sheet = $state<Sheet | null>(null);
  /** The slot whose photo is being taken. */
  shot = $state<Slot | null>(null);
  busy = $state(false);
  /** Why what was pressed could not even be kept on the phone. */
  full = $state(false);
  /** Who confirms where no resident is, by ticket. */
  second = $state<Record<string, string>>({});
  /** Tickets of which the crew said that no part was used. */
  without = $state<Record<string, boolean>>({});
  readonly #app: CrewApp;
  readonly #now = new Set<string>();

  constructor(app: CrewApp) {
    this.#app = app;
  }

  open(sheet: Sheet | null): void {
    this.sheet = sheet;
  }

  /** Said once, however often it is pressed meanwhile. */
  async say(visit: Believed, what: Step, more: Record<string, unknown> = {}): Promise<void> {
    await this.#once(`${visit.ticket} ${what} ${JSON.stringify(more)}`, () => this.#app.say(visit.ticket, what, more));
    this.sheet = null;
  }

  /** Nothing was built in: there is nothing to report, and nothing to ask again. */
  noParts(visit: Believed): void {
    this.without = { ...this.without, [visit.ticket]: true };
    this.sheet = null;
  }

  async keepPhoto(visit: Believed, slot: Slot, bytes: ArrayBuffer, media_type: string, source: 'camera' | 'gallery'): Promise<void> {
    await this.#once(`${visit.ticket} ${slot}`, () => this.#app.photo(visit, slot, { bytes, media_type, source }));
    if (!this.full) this.shot = null;
  }

  /** The same word twice is one; another one is kept beside it. */
  async #once(word: string, work: () => Promise<void>): Promise<void> {
    if (this.#now.has(word)) return;
    this.#now.add(word);
    this.busy = true;
    this.full = false;
    try {
      await work();
    } catch (error) {
      if (!isFull(error)) throw error;
      this.full = true;
    } finally {
      this.#now.delete(word);
      this.busy = this.#now.size > 0;
    }
  }
}
