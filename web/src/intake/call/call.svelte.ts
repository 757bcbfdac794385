// One call from ring to ticket: who calls, what is said, what the policy makes of it, and what was taken in.
import { ApiError } from '../../lib/api';
import type { Level } from '../../lib/wire';
import { cancelTicket, lookUp, newKey, propose, sendPhoto, suggest } from '../api';
import type { Keeper } from '../kept';
import { mayUndo, Outbox, type Answer, type Entry } from '../outbox.svelte';
import type { HouseholdCard, LookUp, Proposal, Suggestion } from '../types';
import {
  elsewhere,
  emptyDraft,
  householdOf,
  isEmpty,
  kindOf,
  proposeBody,
  requestBody,
  stopBody,
  stopOf,
  type Draft,
} from './draft';
import { recentOf, type Recent } from './recent';
import { guesses, isAddress, phoneIn, withoutPhones } from './guess';

export const PROPOSE_AFTER_MS = 200;
const SUGGEST_AFTER_MS = 150;
const RECENT = 8;

/** Where the next key should go. */
export type Spot = 'who' | 'households' | 'words' | 'address' | 'done';

export class Call {
  draft = $state<Draft>(emptyDraft());
  looking = $state(false);
  looked = $state.raw<LookUp | null>(null);
  /** Why the look-up brought nothing. */
  lookProblem = $state.raw<unknown>(null);
  /** What is known of the place, where it is not the caller's own household: chosen, or heard in the words. */
  there = $state.raw<LookUp | null>(null);
  proposal = $state.raw<Proposal | null>(null);
  proposing = $state(false);
  proposeProblem = $state.raw<unknown>(null);
  suggestions = $state.raw<Suggestion[]>([]);
  /** The address as it was when the suggestions were asked for: none for it means none exist. */
  suggestedFor = $state('');
  uploading = $state(0);
  photoProblem = $state.raw<unknown>(null);
  /** The key of what was sent and is not yet answered. */
  sentKey = $state<string | null>(null);
  answer = $state.raw<Answer | null>(null);
  undone = $state(false);
  undoProblem = $state.raw<unknown>(null);
  /** What was thrown away last, to be had back. */
  thrown = $state.raw<Draft | null>(null);
  /** A call that rings while another is being typed. */
  ringing = $state<string | null>(null);
  recent = $state.raw<Recent[]>([]);
  /** A new object whenever the keys should go elsewhere; `polite`: only if nobody has gone on typing somewhere else. */
  goal = $state.raw<{ to: Spot; polite: boolean }>({ to: 'who', polite: false });
  readonly outbox: Outbox;

  entry = $derived<Entry | null>(this.sentKey === null ? null : (this.outboxEntry(this.sentKey) ?? null));
  locked = $derived(this.entry !== null || this.answer !== null);
  card = $derived<HouseholdCard | null>(
    this.looked?.households.find((card) => card.household === this.draft.household) ?? null,
  );
  /** The household of the place that is not the caller's own, where that is one. */
  thereCard = $derived(this.there?.households.length === 1 ? this.there.households[0]! : null);
  household = $derived(householdOf(this.draft));
  kind = $derived(kindOf(this.draft, this.proposal));
  level = $derived<Level | null>(this.draft.level ?? this.proposal?.level ?? null);
  stop = $derived(stopOf(this.draft, this.proposal));
  attach = $derived(this.draft.separate || this.stop !== null ? null : (this.proposal?.attach ?? null));
  /** There is something to judge: words, or at least a kind. */
  something = $derived(this.draft.words.trim() !== '' || this.draft.kind !== null);
  /** A stop for a while has a first and a last day. */
  daysMissing = $derived(this.stop === 'temporary_stop' && (this.draft.stopFrom === '' || this.draft.stopUntil === ''));
  enough = $derived(this.something && !this.daysMissing);

  #keeper: Keeper;
  #zone: () => string;
  #proposeTimer: number | undefined;
  #proposeAsked = 0;
  #proposedFor = '';
  #suggestTimer: number | undefined;
  #suggestAsked = 0;
  #undoKey = '';
  #thereFor = '';

  constructor(keeper: Keeper, zone: () => string) {
    this.#keeper = keeper;
    this.#zone = zone;
    this.outbox = new Outbox(keeper, (entry, answer) => this.#answered(entry, answer));
    const kept = keeper.load<{ draft: Draft; sentKey: string | null }>('draft');
    if (kept === null) return;
    this.draft = { ...emptyDraft(), ...kept.draft };
    if (kept.sentKey !== null && this.outbox.find(kept.sentKey) !== null) this.sentKey = kept.sentKey;
  }

  private outboxEntry(key: string): Entry | null {
    return this.outbox.find(key);
  }

  /** After a reload: the caller's records are asked for again, they were not kept. */
  async resume(): Promise<void> {
    if (this.draft.who === '' || this.answer !== null) return;
    const { household, place } = this.draft;
    await this.find();
    if (household !== null) this.draft.household = household;
    this.draft.place = place;
    this.goal = { to: 'words', polite: true };
  }

  /** Everything typed is kept for a reload, and the policy is asked anew when what it judges has changed. */
  touched(): void {
    if (this.answer !== null) return;
    if (isEmpty(this.draft)) this.#keeper.drop('draft');
    else this.#keeper.save('draft', { draft: this.draft, sentKey: this.sentKey });
    if (this.entry === null) this.#schedulePropose();
  }

  #schedulePropose(): void {
    const body = proposeBody(this.draft);
    const wanted = JSON.stringify(body);
    if (wanted === this.#proposedFor) return;
    this.#proposedFor = wanted;
    window.clearTimeout(this.#proposeTimer);
    const asked = (this.#proposeAsked += 1);
    if (!this.something) {
      this.proposal = null;
      this.proposing = false;
      this.proposeProblem = null;
      return;
    }
    this.proposing = true;
    this.#proposeTimer = window.setTimeout(() => {
      propose(body)
        .then((proposal) => {
          if (asked !== this.#proposeAsked) return;
          [this.proposal, this.proposeProblem] = [proposal, null];
          void this.#lookThere();
        })
        .catch((error: unknown) => {
          if (asked !== this.#proposeAsked) return;
          // What was proposed for other words must not stand beside these.
          [this.proposal, this.proposeProblem] = [null, error];
          this.#proposedFor = '';
        })
        .finally(() => {
          if (asked === this.#proposeAsked) this.proposing = false;
        });
    }, PROPOSE_AFTER_MS);
  }

  /** Looks the caller up, by whatever was typed. */
  async find(): Promise<void> {
    this.goal = { to: await this.#find(), polite: true };
  }

  async #find(): Promise<Spot> {
    const { draft } = this;
    const who = draft.who;
    const tries = guesses(who);
    draft.phone = phoneIn(who) ?? draft.phone;
    if (tries.length === 0 && isAddress(who)) {
      draft.address = who.trim();
      this.typedAddress();
      return 'address';
    }
    if (tries.length === 0) return 'words';
    this.looking = true;
    this.lookProblem = null;
    try {
      let found: LookUp | null = null;
      for (const wanted of tries) {
        found = await lookUp(wanted);
        if (found.households.length > 0 || found.tickets.length > 0 || found.caller?.name != null) break;
      }
      if (this.draft !== draft || who !== draft.who) return 'words';
      this.looked = found;
      const households = found?.households ?? [];
      draft.name = found?.caller?.name ?? (tries.some((wanted) => 'name' in wanted) ? who.trim() : '');
      draft.household = households.length === 1 ? households[0]!.household : null;
      return households.length > 1 ? 'households' : 'words';
    } catch (error) {
      if (this.draft === draft) [this.looked, this.lookProblem] = [null, error];
      return 'words';
    } finally {
      if (this.draft === draft) this.looking = false;
    }
  }

  /** Looks up the place that the request will be at, once, if it is another than the caller's household. */
  async #lookThere(): Promise<void> {
    const wanted = elsewhere(this.draft, this.proposal);
    const asked = JSON.stringify(wanted);
    if (asked === this.#thereFor) return;
    this.#thereFor = asked;
    this.there = null;
    if (wanted === null) return;
    try {
      const found = await lookUp(wanted);
      if (asked === this.#thereFor) this.there = found;
    } catch {
      // The place stands all the same; only its records are missing, and the line says why.
      if (asked === this.#thereFor) this.#thereFor = '';
    }
  }

  take(card: HouseholdCard): void {
    this.draft.household = card.household;
    this.draft.place = null;
    this.goal = { to: 'words', polite: false };
    void this.#lookThere();
  }

  typedAddress(): void {
    window.clearTimeout(this.#suggestTimer);
    const words = this.draft.address.trim();
    const asked = (this.#suggestAsked += 1);
    this.draft.place = null;
    if (words === '') {
      [this.suggestions, this.suggestedFor] = [[], ''];
      return;
    }
    this.#suggestTimer = window.setTimeout(() => {
      suggest(withoutPhones(words))
        .then((found) => {
          if (asked === this.#suggestAsked) [this.suggestions, this.suggestedFor] = [found, words];
        })
        // Typing goes on without suggestions; the line itself says that the server is away.
        .catch(() => undefined);
    }, SUGGEST_AFTER_MS);
  }

  choose(suggestion: Suggestion): void {
    this.draft.place = suggestion;
    this.goal = { to: 'words', polite: false };
    [this.suggestions, this.suggestedFor] = [[], ''];
    void this.#lookThere();
  }

  /** The place that was heard in the words, instead of the caller's own. */
  useHeard(): void {
    const heard = this.proposal?.place;
    if (heard?.building == null) return;
    this.draft.place = {
      building: heard.building.id,
      address: heard.building.address,
      lon: heard.building.lon,
      lat: heard.building.lat,
      score: heard.score,
      household: heard.household,
    };
    void this.#lookThere();
  }

  async addPhotos(files: Iterable<File>): Promise<void> {
    this.photoProblem = null;
    for (const file of files) {
      this.uploading += 1;
      const { draft } = this;
      try {
        const photo = await sendPhoto(file);
        if (!draft.photos.some(({ id }) => id === photo.id)) draft.photos.push({ id: photo.id, name: file.name });
      } catch (error) {
        this.photoProblem = error;
      } finally {
        this.uploading -= 1;
      }
    }
  }

  /** Sends it, or sends again what has no answer yet. */
  submit(): void {
    if (this.answer !== null) return;
    if (this.entry !== null) {
      this.outbox.again(this.entry.key);
      return;
    }
    if (!this.enough || this.uploading > 0) return;
    const household = this.household;
    const draft = $state.snapshot(this.draft);
    const stop = this.stop;
    this.sentKey =
      stop !== null && household !== null
        ? this.outbox.add({ path: '/api/suspensions', body: stopBody(draft, stop, household, this.#zone()) }, draft, this.proposal)
        : this.outbox.add({ path: '/api/requests', body: requestBody(draft, this.proposal) }, draft, this.proposal);
    this.touched();
  }

  /** Back to the form: the key is given up, so what is sent next is another request. */
  edit(): void {
    if (this.sentKey !== null) this.outbox.drop(this.sentKey);
    this.sentKey = null;
    this.touched();
  }

  /** A parked request that was refused, or must be changed, comes back as the present call. */
  reopen(entry: Entry): void {
    this.outbox.drop(entry.key);
    this.next();
    this.draft = { ...emptyDraft(), ...entry.draft };
    void this.resume();
  }

  /** The next call: all of this one goes; what has no answer yet stays in the outbox. */
  next(): void {
    this.thrown = this.answer === null && this.sentKey === null && !isEmpty(this.draft) ? $state.snapshot(this.draft) : null;
    this.#proposeAsked += 1;
    this.#suggestAsked += 1;
    this.#proposedFor = '';
    this.draft = emptyDraft();
    this.looked = null;
    this.lookProblem = null;
    [this.there, this.#thereFor] = [null, ''];
    this.proposal = null;
    this.proposing = false;
    this.proposeProblem = null;
    [this.suggestions, this.suggestedFor] = [[], ''];
    this.photoProblem = null;
    this.sentKey = null;
    this.answer = null;
    this.undone = false;
    this.undoProblem = null;
    this.looking = false;
    this.goal = { to: 'who', polite: false };
    this.#keeper.drop('draft');
  }

  /** What was thrown away by mistake. */
  async back(): Promise<void> {
    if (this.thrown === null) return;
    this.draft = { ...emptyDraft(), ...this.thrown };
    this.thrown = null;
    await this.resume();
  }

  /** A telephone system hands a call over; it never takes the place of one that is being typed. */
  ring(phone: string): void {
    if (!isEmpty(this.draft) && this.answer === null) {
      if (phone !== this.draft.who) this.ringing = phone;
      return;
    }
    this.pickUp(phone);
  }

  /** The call that rings becomes the present one. */
  pickUp(phone: string): void {
    this.ringing = null;
    this.next();
    this.draft.who = phone;
    void this.find();
  }

  /** A new ticket is cancelled and the form stands as it was; an attached one is somebody else's too and stays. */
  async undo(): Promise<void> {
    if (this.answer?.is !== 'ticket' || !mayUndo(this.answer)) return;
    const { id, version } = this.answer.ticket;
    this.undoProblem = null;
    this.#undoKey ||= newKey();
    try {
      await cancelTicket(id, version, 'taken in by mistake, taken back by the seat', this.#undoKey);
    } catch (error) {
      this.undoProblem = error;
      // A refusal was about this version; only a lost answer may be asked for under the same key.
      if (error instanceof ApiError && error.status !== 0) this.#undoKey = '';
      return;
    }
    this.#undoKey = '';
    this.recent = this.recent.map((line) => (line.id === id ? { ...line, state: 'cancelled' } : line));
    this.answer = null;
    this.sentKey = null;
    this.undone = true;
    this.goal = { to: 'words', polite: false };
    this.touched();
  }

  #answered(entry: Entry, answer: Answer): void {
    this.#remember(answer);
    if (entry.key !== this.sentKey) return;
    this.answer = answer;
    this.undone = false;
    this.goal = { to: 'done', polite: false };
    this.#keeper.drop('draft');
  }

  #remember(answer: Answer): void {
    const line = recentOf(answer);
    this.recent = [line, ...this.recent.filter((other) => other.id !== line.id)].slice(0, RECENT);
  }
}
