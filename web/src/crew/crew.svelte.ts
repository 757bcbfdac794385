// The phone's whole state: who is signed in, the day as believed, and everything that can be said of it.
import { call, CallError, endsSession, readToday } from './api';
import * as db from './db';
import { publicKey, sha256, sign } from './device';
import { believe, type Believed } from './fold';
import { isOver } from './next';
import { Outbox } from './outbox.svelte';
import { Places } from './places.svelte';
import { Rounds } from './rounds';
import type { Fix, HeardToday, Op, Refusal, Slot, Step } from './types';

const READ_MS = 30_000;
const THEME = 'heatops.crew.theme';

export interface Who {
  crew: string;
  device: string;
  phone: string;
  zone: string;
}

interface Session {
  crew: string | null;
  device: string | null;
  company: { timezone: string };
}

export interface Shot {
  bytes: ArrayBuffer;
  media_type: string;
  source: 'camera' | 'gallery';
  /** As the shutter was pressed; without them: now, here, and a key of its own. */
  captured_at_ms?: number;
  fix?: Fix | null;
  key?: string;
}

export class CrewApp {
  who = $state.raw<Who | null>(null);
  /** The session has ended, though the phone knows whose it is: the day is kept and everything said waits. */
  locked = $state(false);
  /** The phone has no room left for the day. */
  full = $state(false);
  /** The page opens without a network; the browser does not clear what is kept by itself. */
  opensOffline = $state(true);
  lasting = $state(true);
  heard = $state.raw<HeardToday | null>(null);
  reached = $state(navigator.onLine);
  now = $state(Date.now());
  chosen = $state<string | null>(null);
  theme = $state<'light' | 'dark'>(localStorage.getItem(THEME) === 'dark' ? 'dark' : 'light');
  readonly outbox: Outbox;
  readonly places = new Places((ms) => this.stamp(ms));
  #reading = false;
  /** Something happened while the day was being read. */
  #readAgain = false;
  #kept: Promise<unknown> = Promise.resolve();
  /** The code of a press that was not answered: it may have been spent. */
  #unheard: string | null = null;
  /** The last photo of this session, for the finder: its bytes leave the store once they are sent. */
  last: { ticket: string; bytes: ArrayBuffer } | null = null;

  constructor() {
    this.outbox = new Outbox({
      crew: () => (this.locked ? null : (this.who?.crew ?? null)),
      clock: () => this.stamp(Date.now()),
      answered: () => void this.read(),
      reached: (yes) => (this.reached = yes),
      signedOut: (refusal) => void this.#lock(refusal),
      signedElsewhere: () => void this.#lookAgain(),
    });
  }

  visits = $derived.by<Believed[]>(() => {
    const heard = this.heard;
    if (heard === null) return [];
    const mine = this.outbox.ops.filter((op) => op.crew === this.who?.crew);
    return heard.today.visits
      .map((visit) => believe(visit, mine, heard.asked_at))
      .sort((a, b) => Number(isOver(a)) - Number(isOver(b)) || a.order - b.order);
  });
  onSite = $derived(this.visits.find((visit) => visit.onSite) ?? null);
  current = $derived<Believed | null>(
    this.visits.find((visit) => visit.ticket === this.chosen) ??
      this.onSite ??
      this.visits.find((visit) => !isOver(visit)) ??
      this.visits[0] ??
      null,
  );
  zone = $derived(this.who?.zone ?? 'Asia/Shanghai');
  /** Business time now, Unix seconds. */
  at = $derived(this.stamp(this.now) / 1000);

  /** A time of the phone's clock in business time, ms. */
  stamp(ms: number): number {
    const clock = this.heard?.today.clock;
    return clock === undefined ? ms : clock.at_ms + (ms - clock.system_ms) * clock.rate;
  }

  async start(): Promise<() => void> {
    this.who = (await db.kept<Who>('who')) ?? null;
    this.heard = (await db.kept<HeardToday>('today')) ?? null;
    const stopOutbox = await this.outbox.start();
    const stopPlaces = this.places.start(() => this.who !== null && !this.locked && this.heard?.today.on_duty === true);
    const listens = (): boolean => this.who !== null && !this.locked && !document.hidden && navigator.onLine;
    const stopRounds = new Rounds(() => void this.read(), listens).start();
    const clock = window.setInterval(() => (this.now = Date.now()), 1000);
    const again = window.setInterval(() => {
      if (!document.hidden) void this.read();
    }, READ_MS);
    const online = (): void => void this.read();
    const offline = (): void => void (this.reached = false);
    window.addEventListener('online', online);
    window.addEventListener('offline', offline);
    void this.#settleIn();
    void this.read();
    return () => {
      stopOutbox();
      stopPlaces();
      stopRounds();
      window.clearInterval(clock);
      window.clearInterval(again);
      window.removeEventListener('online', online);
      window.removeEventListener('offline', offline);
    };
  }

  async #settleIn(): Promise<void> {
    const no = (): boolean => false;
    const [opens, lasts] = await Promise.all([
      navigator.serviceWorker?.register('/crew-sw.js', { scope: '/crew' }).then(() => true, no),
      navigator.storage?.persist?.().catch(no),
    ]);
    this.opensOffline = opens ?? false;
    this.lasting = lasts ?? false;
  }

  /** The session is over; a phone that the desk has revoked forgets its day, and keeps what was said on it. */
  async #lock(refusal: Refusal): Promise<void> {
    this.locked = true;
    if (refusal.code !== 'device_revoked') return;
    this.heard = null;
    this.last = null;
    await db.keep('today', null);
  }

  /** Another tab has signed in or out: this one follows. */
  async #lookAgain(): Promise<void> {
    const who = (await db.kept<Who>('who')) ?? null;
    if (who?.crew !== this.who?.crew) this.heard = null;
    this.who = who;
    this.locked = false;
    await this.read();
  }

  async #keepDay(): Promise<void> {
    try {
      await db.keep('today', $state.snapshot(this.heard));
      this.full = false;
    } catch (error) {
      if (!db.isFull(error)) throw error;
      this.full = true;
    }
  }

  /** Asks for the day; without an answer the last one stays. */
  async read(): Promise<void> {
    const who = this.who;
    if (who === null || this.locked) return;
    if (this.#reading) {
      this.#readAgain = true;
      return;
    }
    this.#reading = true;
    this.#readAgain = false;
    const asked_at = Date.now();
    try {
      const { status, etag, body } = await readToday(this.heard?.etag ?? '');
      this.reached = true;
      // The session ended or is another one meanwhile, or this browser is another crew's: it is not this crew's day.
      if (this.who !== who || this.locked) return;
      if (body !== null && body.crew !== who.crew) this.locked = true;
      else {
        if (status !== 304) this.heard = { etag, asked_at, today: body };
        else if (this.heard !== null) this.heard = { ...this.heard, asked_at };
        await this.#keepDay();
      }
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (this.who === who && endsSession(error.refusal)) await this.#lock(error.refusal);
      this.reached = error.refusal.status !== 0;
    } finally {
      this.#reading = false;
      if (this.#readAgain && this.reached) void this.read();
    }
  }

  /** The refusal, or null once the phone is in. */
  async signIn(code: string, phone: string): Promise<Refusal | null> {
    try {
      const device_key = await publicKey();
      const json = { code, device_key, device_name: phone };
      await call<{ crew: string; device: string }>('POST', '/api/crew/sign-in', { json, has: ['crew', 'device'] });
      await this.#enter(phone);
      return null;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      // A press of the same code may have let the phone in before, and its answer did not get here whole.
      const spent = error.refusal.code === 'code_refused' && this.#unheard === code;
      const refusal = spent ? await this.#inAlready(phone, error.refusal) : error.refusal;
      this.#unheard = refusal?.status === 0 ? code : null;
      return refusal;
    }
  }

  /** Takes on the session that the browser holds. */
  async #enter(phone: string): Promise<void> {
    const { body } = await call<Session>('GET', '/api/session', { has: ['crew', 'device', 'company'] });
    const { crew, device } = body;
    if (crew === null || device === null) {
      throw new CallError({ status: 403, code: 'crew_needed', detail: '', what_to_do: '' }, null);
    }
    if (this.who !== null && this.who.crew !== crew) {
      this.heard = null;
      await db.keep('today', null);
    }
    this.who = { crew, device, phone, zone: body.company.timezone };
    await db.keep('who', $state.snapshot(this.who));
    this.locked = false;
    this.outbox.tellSigned();
    await this.read();
    void this.outbox.hurry();
  }

  async #inAlready(phone: string, refused: Refusal): Promise<Refusal | null> {
    try {
      await this.#enter(phone);
      return null;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      return error.refusal.status === 0 ? error.refusal : refused;
    }
  }

  /** Everything of residents leaves the phone with the session. */
  async signOut(): Promise<void> {
    await call('POST', '/api/sign-out').catch((error: unknown) => {
      if (!(error instanceof CallError)) throw error;
    });
    this.who = null;
    this.heard = null;
    await db.forgetAll();
    this.outbox.tellSigned();
    location.reload();
  }

  useTheme(theme: 'light' | 'dark'): void {
    this.theme = theme;
    localStorage.setItem(THEME, theme);
  }

  /** What is said is kept in the order in which it was pressed, however long its place takes to be found. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#kept.then(work);
    this.#kept = mine.catch(() => undefined);
    return mine;
  }

  /** Says a step of a visit: kept with the time and place of the press, sent when it can be. `found`: the place, where it
   *  was looked for already. */
  async say(ticket: string, what: Step, more: Record<string, unknown> = {}, found?: Fix | null): Promise<void> {
    const crew = this.who?.crew;
    if (crew === undefined) return;
    const at_device_ms = Math.round(this.stamp(Date.now()));
    const place = found === undefined ? this.places.fresh() : Promise.resolve(found);
    await this.#inTurn(async () => {
      const fix = await place;
      const body = { at_device_ms, ...(fix === null ? {} : { fix }), ...$state.snapshot(more) };
      await this.outbox.add({ what, ticket, body }, crew);
    });
  }

  /** Keeps a photo with what proves it: a nonce of the server's, used once, and the phone's signature. */
  async photo(visit: Believed, slot: Slot, shot: Shot): Promise<void> {
    const crew = this.who?.crew;
    if (crew === undefined) return;
    const captured_at_ms = shot.captured_at_ms ?? Math.round(this.stamp(Date.now()));
    const fix = shot.fix === undefined ? await this.places.fresh(1500) : shot.fix;
    const hash = await sha256(shot.bytes);
    const nonce = shot.source === 'camera' ? await db.takeNonce(visit.nonces[slot] ?? []) : null;
    const of = { sha256: hash, captured_at_ms, ticket: visit.ticket, slot, visit: visit.visitKey, fix };
    const body = {
      slot,
      sha256: hash,
      bytes: shot.bytes.byteLength,
      media_type: shot.media_type,
      source: shot.source,
      ...(shot.source === 'camera' ? { captured_at_ms } : {}),
      ...(visit.visitKey === null ? {} : { visit: visit.visitKey }),
      ...(nonce === null ? {} : { nonce, signature: await sign({ ...of, nonce }) }),
      ...(fix === null ? {} : { fix }),
    };
    await this.#inTurn(() => this.outbox.add({ what: 'photo', ticket: visit.ticket, body }, crew, shot.bytes, shot.key));
    this.last = { ticket: visit.ticket, bytes: shot.bytes };
  }

  opsOf(ticket: string): Op[] {
    return this.outbox.ops.filter((op) => op.ticket === ticket);
  }
}

