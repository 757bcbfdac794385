// The phone's whole state: who is signed in, the day as believed, and everything that can be said of it.
import { call, CallError, readToday } from './api';
import * as db from './db';
import { publicKey, sha256, sign } from './device';
import { believe, type Believed } from './fold';
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
  /** The session has ended, though the phone knows whose it is. */
  locked = $state(false);
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
  #used = new Set<string>();

  constructor() {
    this.outbox = new Outbox({
      crew: () => (this.locked ? null : (this.who?.crew ?? null)),
      clock: () => this.stamp(Date.now()),
      answered: () => void this.read(),
      reached: (yes) => (this.reached = yes),
      signedOut: () => (this.locked = true),
    });
  }

  visits = $derived.by<Believed[]>(() => {
    const heard = this.heard;
    if (heard === null) return [];
    const mine = this.outbox.ops.filter((op) => op.crew === this.who?.crew);
    return heard.today.visits
      .map((visit) => believe(visit, mine, heard.asked_at))
      .sort((a, b) => a.order - b.order);
  });
  onSite = $derived(this.visits.find((visit) => visit.onSite) ?? null);
  current = $derived<Believed | null>(
    this.visits.find((visit) => visit.ticket === this.chosen) ??
      this.onSite ??
      this.visits.find((visit) => visit.over === null && visit.state !== 'verifying') ??
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
    this.#used = new Set((await db.kept<string[]>('nonces')) ?? []);
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
    void navigator.storage?.persist?.();
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

  /** Asks for the day; without an answer the last one stays. */
  async read(): Promise<void> {
    if (this.who === null || this.locked) return;
    if (this.#reading) {
      this.#readAgain = true;
      return;
    }
    this.#reading = true;
    this.#readAgain = false;
    const asked_at = Date.now();
    try {
      const { status, etag, body } = await readToday(this.heard?.etag ?? '');
      if (status !== 304 && body !== null) this.heard = { etag, asked_at, today: body };
      else if (this.heard !== null) this.heard = { ...this.heard, asked_at };
      await db.keep('today', $state.snapshot(this.heard));
      this.reached = true;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.refusal.status === 401) this.locked = true;
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
      const { body } = await call<{ crew: string; device: string }>('POST', '/api/crew/sign-in', { json });
      const session = await call<{ company: { timezone: string } }>('GET', '/api/session');
      if (this.who !== null && this.who.crew !== body.crew) {
        this.heard = null;
        await db.keep('today', null);
      }
      this.who = { crew: body.crew, device: body.device, phone, zone: session.body.company.timezone };
      await db.keep('who', $state.snapshot(this.who));
      this.locked = false;
      await this.read();
      void this.outbox.hurry();
      return null;
    } catch (error) {
      if (error instanceof CallError) return error.refusal;
      throw error;
    }
  }

  /** Everything of residents leaves the phone with the session. */
  async signOut(): Promise<void> {
    await call('POST', '/api/sign-out').catch((error: unknown) => {
      if (!(error instanceof CallError)) throw error;
    });
    await db.forgetAll();
    for (const name of await caches.keys()) if (name.startsWith('heatops-crew-day')) await caches.delete(name);
    location.reload();
  }

  useTheme(theme: 'light' | 'dark'): void {
    this.theme = theme;
    localStorage.setItem(THEME, theme);
  }

  /** Says a step of a visit: kept with the time and place of the press, sent when it can be. `found`: the place, where it
   *  was looked for already. */
  async say(ticket: string, what: Step, more: Record<string, unknown> = {}, found?: Fix | null): Promise<void> {
    if (this.who === null) return;
    const at_device_ms = Math.round(this.stamp(Date.now()));
    const fix = found === undefined ? await this.places.fresh() : found;
    const body = { at_device_ms, ...(fix === null ? {} : { fix }), ...$state.snapshot(more) };
    await this.outbox.add({ what, ticket, body }, this.who.crew);
  }

  /** Keeps a photo with what proves it: a nonce of the server's, used once, and the phone's signature. */
  async photo(visit: Believed, slot: Slot, shot: Shot): Promise<void> {
    if (this.who === null) return;
    const captured_at_ms = shot.captured_at_ms ?? Math.round(this.stamp(Date.now()));
    const fix = shot.fix === undefined ? await this.places.fresh(1500) : shot.fix;
    const hash = await sha256(shot.bytes);
    const nonce = shot.source === 'camera' ? await this.#nonce(visit, slot) : null;
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
    await this.outbox.add({ what: 'photo', ticket: visit.ticket, body }, this.who.crew, shot.bytes, shot.key);
  }

  async #nonce(visit: Believed, slot: Slot): Promise<string | null> {
    const nonce = visit.nonces[slot]?.find((one) => !this.#used.has(one)) ?? null;
    if (nonce === null) return null;
    this.#used.add(nonce);
    await db.keep('nonces', [...this.#used].slice(-500));
    return nonce;
  }

  opsOf(ticket: string): Op[] {
    return this.outbox.ops.filter((op) => op.ticket === ticket);
  }
}

