// What every view of the desk shares: who is here, the business clock, the live rows and how old they are, which view is shown.
import { changeCompany, session as readSession, SignedOut, type Session } from '../lib/api';
import { LiveClient, type Change, type Connection } from '../lib/live';
import { worst, type Freshness } from '../lib/live/freshness';
import { TOPICS, type FigureRow, type Topic } from '../lib/wire';
import { VIEWS, type ViewId } from './views';

const CLOCK_EVERY_MS = 250;
const SESSION_EVERY_MS = 60_000;
const SIGNED_OUT_CHECK_MS = 2000;
/** Views are told of changed rows at most this often, however fast they change. */
const TELL_EVERY_MS = 250;

const each = <Value>(of: (topic: Topic) => Value): Record<Topic, Value> =>
  Object.fromEntries(TOPICS.map((topic) => [topic, of(topic)])) as Record<Topic, Value>;

export class Desk {
  session = $state.raw<Session>() as Session;
  /** Business time, whole Unix seconds. */
  now = $state(0);
  view = $state<ViewId>('dispatch');
  /** The part of the address behind the view's name: a ticket's id in `#dispatch/260114-000123`. */
  within = $state('');
  connection = $state<Connection>('connecting');
  /** Since when the line is down, Unix seconds of the business clock. */
  lostAt = $state<number | null>(null);
  freshness = $state.raw<Record<Topic, Freshness>>(each(() => ({ state: 'waiting' })));
  /** Counts the changes of a topic's rows: what reads them depends on it. */
  seen = $state<Record<Topic, number>>(each(() => 0));
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

  start(): () => void {
    const follow = (): void => this.#follow();
    follow();
    window.addEventListener('hashchange', follow);
    this.live.start();
    const timers = [
      window.setInterval(() => this.#clock(), CLOCK_EVERY_MS),
      window.setInterval(() => void this.#refresh(), SESSION_EVERY_MS),
    ];
    return () => {
      window.removeEventListener('hashchange', follow);
      timers.forEach((timer) => window.clearInterval(timer));
    };
  }

  onMapData(listener: ((topic: Topic, change: Change) => void) | null): void {
    this.#mapChanged = listener;
  }

  /** Since when something is stale, on the business clock; null while it is not. */
  staleSince(...topics: Topic[]): number | null {
    const found = worst(topics.map((topic) => this.freshness[topic]));
    return found.state === 'stale' ? (this.live.businessAt(found.since) ?? this.now) : null;
  }

  figure<Name extends FigureRow['figure']>(name: Name): Extract<FigureRow, { figure: Name }> | null {
    void this.seen.figures;
    const row = this.live.rows('figures').get(name)?.row;
    return row?.figure === name ? (row as Extract<FigureRow, { figure: Name }>) : null;
  }

  show(view: ViewId): void {
    location.hash = view;
  }

  /** Another company is another page altogether. */
  async moveTo(code: string): Promise<void> {
    try {
      await changeCompany(code);
    } finally {
      location.reload();
    }
  }

  #follow(): void {
    const [id = '', within = ''] = location.hash.replace(/^#/, '').split(/\/(.*)/s);
    this.view = VIEWS.find((known) => known.id === id)?.id ?? 'dispatch';
    this.within = decodeURIComponent(within);
  }

  #connected(state: Connection): void {
    if (state === 'open') this.lostAt = null;
    else if (this.lostAt === null && this.connection === 'open') this.lostAt = this.now;
    this.connection = state;
    if (state === 'open') void this.#refresh();
    // The session may be signed in again in another window.
    if (state === 'signed_out') window.setTimeout(() => void this.#refresh(), SIGNED_OUT_CHECK_MS);
  }

  async #refresh(): Promise<void> {
    try {
      const fresh = await readSession();
      if (fresh.company.code !== this.session.company.code || fresh.user !== this.session.user) location.reload();
      else this.session = fresh;
      if (this.connection === 'signed_out' || this.connection === 'closed') this.live.resume();
    } catch (error) {
      // Unreachable: the live connection already says so and keeps trying.
      if (!(error instanceof SignedOut)) return;
    }
  }

  #clock(): void {
    const now = this.live.businessNow();
    if (now !== null && Math.floor(now) !== this.now) this.now = Math.floor(now);
    const next = each((topic) => this.live.freshness(topic));
    const age = (f: Freshness): string => (f.state === 'stale' ? `${f.why} ${Math.floor(f.seconds)}` : f.state);
    if (TOPICS.some((topic) => age(this.freshness[topic]) !== age(next[topic]))) this.freshness = next;
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
    const now = this.live.businessNow();
    if (now !== null) this.now = Math.floor(now);
    for (const topic of this.#dirty) this.seen[topic] += 1;
    this.#dirty.clear();
    if (!this.complete) this.complete = TOPICS.every((topic) => this.live.hasSnapshot(topic));
  }
}
