// The evidence of one ticket, read when it is chosen and again whenever its row changes; which photo is looked at.
import { ask } from '../api';
import { Work } from '../../intake/queue/work.svelte';
import type { Allowed, EvidenceRecord, Match, SitePhoto, SlotState } from './types';

const path = (ticket: string): string => `/api/evidence/${encodeURIComponent(ticket)}`;

export const pictureOf = (ticket: string, photo: string, size: 'thumb' | 'view'): string => `${path(ticket)}/photos/${encodeURIComponent(photo)}?size=${size}`;

export const readMatch = (ticket: string, photo: string, twin: string): Promise<Match> =>
  ask('GET', `${path(ticket)}/match/${encodeURIComponent(photo)}/${encodeURIComponent(twin)}`);

/** The photo that most needs a person first: refused, then doubted, then whatever there is. */
const WORST = ['block', 'review', 'pending', 'again', 'accept', 'owed'];

/** What is to be decided: of a photo as it was looked at, of a visit, or of the record. */
export interface Asked {
  what: Allowed;
  slot?: string;
  photo?: string;
  visit?: number;
  to?: 'in' | 'out';
}

export interface Decision extends Asked {
  reason_code: string;
  reason: string;
}

export class Evidence {
  record = $state.raw<EvidenceRecord | null>(null);
  problem = $state.raw<unknown>(null);
  slot = $state<string | null>(null);
  readonly work = new Work();
  /** Reasons that are being written, by what they are for; kept until sent or another ticket is opened. */
  readonly #drafts = new Map<string, string>();
  #id: string | null = null;

  get photo(): SitePhoto | null {
    return this.slot === null ? null : (this.record?.photos[this.slot] ?? null);
  }

  async follow(id: string | null): Promise<void> {
    if (id !== this.#id) {
      this.record = null;
      this.problem = null;
      this.slot = null;
      this.work.forget();
      this.#drafts.clear();
    }
    this.#id = id;
    await this.read();
  }

  draft(of: Asked): string {
    return this.#drafts.get(draftKey(of)) ?? '';
  }

  write(of: Asked, reason: string): void {
    this.#drafts.set(draftKey(of), reason);
  }

  async read(): Promise<void> {
    const id = this.#id;
    if (id === null) return;
    try {
      const found = await ask<EvidenceRecord>('GET', path(id));
      if (id !== this.#id) return;
      this.record = found;
      this.problem = null;
      if (this.slot === null || !(this.slot in { ...found.slots, ...found.photos })) this.slot = slotsOf(found)[0] ?? null;
    } catch (error) {
      if (id === this.#id) this.problem = error;
    }
  }

  /** Whether it was done; what refused it stands in `work`. */
  async decide(d: Decision): Promise<boolean> {
    const { record } = this;
    if (record === null) return false;
    const about = d.what === 'check-in' ? { visit: d.visit, to: d.to } : d.what === 'waive' ? {} : { slot: d.slot, photo: d.photo };
    const reason = d.reason.trim();
    const body = { version: record.version, reason_code: d.reason_code, ...(reason === '' ? {} : { reason }), ...about };
    const done = (await this.work.send(`${path(record.ticket.id)}/${d.what}`, body)) !== null;
    if (done) this.#drafts.delete(draftKey(d));
    await this.read();
    return done;
  }
}

const draftKey = (of: Asked): string => [of.what, of.to, of.visit, of.photo].join(' ');

/** How a slot stands; one that is not owed, as that of a door, only where its photo needs a person. */
export function stateOf(record: EvidenceRecord, slot: string): SlotState | undefined {
  const photo = record.photos[slot];
  if (slot in record.slots || photo === undefined) return record.slots[slot];
  if (photo.round !== record.round || photo.overruled === true || photo.again === true) return undefined;
  return photo.unjudged === true ? 'review' : photo.verdict === 'block' || photo.verdict === 'review' ? photo.verdict : undefined;
}

/** The slots of a record and its photos that are not owed: those first that need a person, and what is not owed last. */
export function slotsOf(record: EvidenceRecord): string[] {
  const rank = (slot: string): number => {
    const state = stateOf(record, slot);
    return state === undefined ? WORST.length : WORST.indexOf(state);
  };
  return [...new Set([...Object.keys(record.slots), ...Object.keys(record.photos)])].sort((a, b) => rank(a) - rank(b));
}
