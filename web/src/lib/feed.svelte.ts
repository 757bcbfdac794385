// What every page of live rows shares: who looks, the business clock, the rows and how old they are, whether the line stands.
import { session as readSession, SignedOut, type Session } from './api';
import { LiveClient, type Change, type Connection } from './live';
import type { Freshness } from './live/freshness';
import { TOPICS, type Topic } from './wire';

const CLOCK_EVERY_MS = 250;
const SESSION_EVERY_MS = 60_000;
const SIGNED_OUT_CHECK_MS = 2000;
/** The page is told of changed rows at most this often, however fast they change. */
const TELL_EVERY_MS = 250;

/** One value for each topic. */
export const each = <Value>(of: (topic: Topic) => Value): Record<Topic, Value> =>
  Object.fromEntries(TOPICS.map((topic) => [topic, of(topic)])) as Record<Topic, Value>;

const shown = (f: Freshness): string => (f.state === 'stale' ? `${f.why} ${Math.floor(f.seconds)}` : f.state);

export abstract class Feed {
  session = $state.raw<Session>() as Session;
  /** Business time, whole Unix seconds. */
  now = $state(0);
  connection = $state<Connection>('connecting');
  /** Since when the line is down, Unix seconds of the business clock. */
  lostAt = $state<number | null>(null);
  freshness = $state.raw<Record<Topic, Freshness>>(each(() => ({ state: 'waiting' })));
  /** Every topic has had its snapshot. */
  complete = $state(false);
  readonly live: LiveClient;
  #dirty = new Set<Topic>();
  #timer: number | undefined;
  #told = 0;
  #mapChanged: ((topic: Topic, change: Change) => void) | null = null;

  constructor(session: Session) {
    this.session = session;
    this.live = new LiveClient({
      changed: (topic, change) => this.#changed(topic, change),
      connection: (state) => this.#connected(state),
      // The session moved to another company in another window: its rows must not stand under our name.
      company: (code) => {
        if (code !== this.session.company.code) location.reload();
      },
    });
    this.live.setBusiness(session.business.at, session.business.rate);
    this.now = Math.floor(session.business.at);
  }

  get zone(): string {
    return this.session.company.timezone;
  }

  /** Begins; what it answers ends it. */
  start(): () => void {
    this.live.start();
    const timers = [
      window.setInterval(() => this.#clock(), CLOCK_EVERY_MS),
      window.setInterval(() => void this.#refresh(), SESSION_EVERY_MS),
    ];
    return () => timers.forEach((timer) => window.clearInterval(timer));
  }

  onMapData(listener: ((topic: Topic, change: Change) => void) | null): void {
    this.#mapChanged = listener;
  }

  /** Whether the page must begin anew for this session, though it is of the same company. */
  protected abstract outdatedBy(fresh: Session): boolean;

  /** Rows of these topics changed. */
  protected abstract tell(topics: ReadonlySet<Topic>): void;

  /** The clock's beat: what changes with time alone is looked at again. */
  protected beat(): void {}

  #connected(state: Connection): void {
    if (state === 'open') this.lostAt = null;
    else if (this.lostAt === null && this.connection === 'open') this.lostAt = this.now;
    this.connection = state;
    // A new server may serve new pages: compare sessions as soon as the line is back.
    if (state === 'open') void this.#refresh();
    // The session may have moved to another company, or be signed in again, in another window.
    if (state === 'signed_out') window.setTimeout(() => void this.#refresh(), SIGNED_OUT_CHECK_MS);
  }

  async #refresh(): Promise<void> {
    try {
      const fresh = await readSession();
      if (fresh.company.code !== this.session.company.code || this.outdatedBy(fresh)) location.reload();
      else this.session = fresh;
      if (this.connection === 'signed_out' || this.connection === 'closed') this.live.resume();
    } catch (error) {
      // Unreachable: the live connection already says so and keeps trying.
      if (!(error instanceof SignedOut)) return;
    }
  }

  #follow(): void {
    const now = this.live.businessNow();
    if (now !== null && Math.floor(now) !== this.now) this.now = Math.floor(now);
  }

  #clock(): void {
    this.#follow();
    const next = each((topic) => this.live.freshness(topic));
    if (TOPICS.some((topic) => shown(this.freshness[topic]) !== shown(next[topic]))) this.freshness = next;
    this.beat();
  }

  #changed(topic: Topic, change: Change): void {
    this.#mapChanged?.(topic, change);
    this.#dirty.add(topic);
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, TELL_EVERY_MS - (performance.now() - this.#told));
    this.#timer = window.setTimeout(() => this.#tell(), wait);
  }

  #tell(): void {
    this.#timer = undefined;
    this.#told = performance.now();
    this.#follow();
    this.tell(this.#dirty);
    this.#dirty.clear();
    if (!this.complete) this.complete = TOPICS.every((topic) => this.live.hasSnapshot(topic));
  }
}
