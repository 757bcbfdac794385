// Where the phone is while it is on duty: kept here first, sent in lots, the oldest thinned when there are too many.
import { call, CallError, mayPass } from './api';
import * as db from './db';
import { thinned } from './order';
import type { Fix } from './types';

const EVERY_MS = 30_000;
const FAR_M = 50;
const SEND_MS = 60_000;
const LOOK_MS = 3000;
const LOT = 500;
const MOST = 20_000;
const DAYS = 60;
/** A position older than this, in business time, is not where the phone is now. */
const FRESH_MS = 120_000;
/** What the browser may hand out of its own memory, and how long ago it may have been heard, to be where the phone is at
 *  the door: ten seconds in all. */
const CACHED_MS = 5000;
const EXACT_MS = 5000;
/** So long a fresh position is waited for at the door. */
export const FIND_MS = 8000;

interface BatteryLike {
  level: number;
}

const metres = (a: Fix, b: Fix): number => {
  const north = (a.lat - b.lat) * 111_150;
  const east = (a.lon - b.lon) * 111_320 * Math.cos((a.lat * Math.PI) / 180);
  return Math.hypot(north, east);
};

export class Places {
  /** denied: the person or the phone does not allow it; silent: no fix yet. */
  state = $state<'silent' | 'known' | 'denied'>('silent');
  last = $state.raw<Fix | null>(null);
  /** By the phone's clock, ms, when `last` was heard: its own time may be the satellites', and the phone's clock wrong. */
  heardMs = $state(0);
  readonly #stamp: (ms: number) => number;
  #keptMs = 0;
  #askedMs = 0;
  #kept: Fix | null = null;
  #battery: BatteryLike | null = null;
  #sending = false;

  /** `stamp`: a time of the phone's clock, ms, in business time. */
  constructor(stamp: (ms: number) => number) {
    this.#stamp = stamp;
  }

  start(onDuty: () => boolean): () => void {
    const asked = (navigator as { getBattery?: () => Promise<BatteryLike> }).getBattery?.();
    void asked?.then((battery) => (this.#battery = battery));
    if (!('geolocation' in navigator)) {
      this.state = 'denied';
      return () => undefined;
    }
    const watch = navigator.geolocation.watchPosition(
      (position) => void this.#heard(position, onDuty()),
      (error) => {
        if (error.code === error.PERMISSION_DENIED) this.state = 'denied';
      },
      { enableHighAccuracy: true, maximumAge: CACHED_MS },
    );
    const send = (): void => {
      if (onDuty()) void this.send();
    };
    const timer = window.setInterval(send, SEND_MS);
    // A phone that lies still may not be heard of: it is asked.
    const look = window.setInterval(() => {
      if (!onDuty() || Date.now() - Math.max(this.#keptMs, this.#askedMs) < EVERY_MS) return;
      this.#askedMs = Date.now();
      void this.#ask(10_000, CACHED_MS).then((found) => (found === null ? undefined : this.#heard(found, onDuty())));
    }, LOOK_MS);
    window.addEventListener('online', send);
    return () => {
      navigator.geolocation.clearWatch(watch);
      window.clearInterval(timer);
      window.clearInterval(look);
      window.removeEventListener('online', send);
    };
  }

  /** Where the phone is now, if it is known. */
  now(): Fix | null {
    return this.last !== null && Math.abs(this.#stamp(Date.now()) - this.last.at_ms) < FRESH_MS ? this.last : null;
  }

  /** The phone's place, asked for anew where the last one is old; null after `within` ms. */
  async fresh(within = 2500): Promise<Fix | null> {
    if (this.now() !== null || this.state === 'denied' || !('geolocation' in navigator)) return this.now();
    const found = await this.#ask(within, 0);
    if (found !== null) await this.#heard(found, true);
    return this.now();
  }

  /** Where the phone is at this very moment; null where no such position came within `FIND_MS`. */
  async exact(): Promise<Fix | null> {
    if (this.unheard(Date.now(), EXACT_MS) && this.state !== 'denied' && 'geolocation' in navigator) {
      const found = await this.#ask(FIND_MS, 0);
      if (found !== null) await this.#heard(found, true);
    }
    return this.unheard(Date.now(), EXACT_MS) ? null : this.last;
  }

  /** No position was heard for `since` ms. */
  unheard(now: number, since = FRESH_MS): boolean {
    return this.last === null || this.state === 'denied' || now - this.heardMs > since;
  }

  #ask(timeout: number, maximumAge: number): Promise<GeolocationPosition | null> {
    const options = { enableHighAccuracy: true, maximumAge, timeout };
    return new Promise((yes) => navigator.geolocation.getCurrentPosition(yes, () => yes(null), options));
  }

  async #heard(position: GeolocationPosition, onDuty: boolean): Promise<void> {
    const { longitude, latitude, accuracy } = position.coords;
    const fix: Fix = {
      lon: longitude,
      lat: latitude,
      datum: 'wgs84',
      accuracy_m: accuracy,
      at_ms: Math.round(this.#stamp(position.timestamp)),
      ...(this.#battery === null ? {} : { battery_pct: Math.round(this.#battery.level * 100) }),
    };
    this.state = 'known';
    this.last = fix;
    this.heardMs = Date.now();
    const moved = this.#kept === null || metres(this.#kept, fix) >= FAR_M;
    if (!onDuty || !(moved || position.timestamp - this.#keptMs >= EVERY_MS)) return;
    const first = this.#kept === null;
    this.#kept = fix;
    this.#keptMs = position.timestamp;
    await db.addFix(fix);
    if (first) void this.send();
    if ((await db.fixCount()) > MOST) await db.dropFixes(thinned(await db.fixes(MOST * 2), this.#stamp(Date.now()), MOST, DAYS));
  }

  /** The lots that wait, oldest first; a lot has the same key for as long as it is the same fixes. */
  async send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      const phone = (await db.kept<string>('phone')) ?? crypto.randomUUID();
      await db.keep('phone', phone);
      for (;;) {
        const lot = await db.fixes(LOT);
        const [first, last] = [lot[0], lot.at(-1)];
        if (first === undefined || last === undefined) return;
        const items = lot.map(({ id: _, ...fix }) => fix);
        const key = `fixes-${phone}-${first.id}-${last.id}-${lot.length}`;
        await call<{ accepted: unknown }>('POST', '/api/crew/fixes', { json: { items }, key, has: ['accepted'] }).catch((error: unknown) => {
          // A lot that the server will never take would hold up all that come after it.
          if (!(error instanceof CallError) || mayPass(error.refusal)) throw error;
        });
        await db.dropFixes(lot.map((fix) => fix.id));
      }
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    } finally {
      this.#sending = false;
    }
  }
}
