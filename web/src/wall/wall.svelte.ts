// What the wall knows: the live rows, the figures computed from them, and what the viewer chose to see.
import { changeCompany, session as readSession, SignedOut, type Session } from '../lib/api';
import { LiveClient, type Change, type Connection } from '../lib/live';
import { worst, type Freshness } from '../lib/live/freshness';
import { TOPICS, type FigureRow, type HappeningRow, type Topic } from '../lib/wire';
import { LAYERS, LAYER_TOPICS, type Layer } from './layers';
import type { Panel } from './panel';
import {
  summarizeCrews,
  summarizeOutages,
  summarizeSentiment,
  summarizeTickets,
  worstIncident,
} from './summary';

/** Figures are computed at most this often, however fast rows change. */
const FIGURES_EVERY_MS = 250;
const FRESHNESS_EVERY_MS = 250;
const SESSION_EVERY_MS = 60_000;
const SIGNED_OUT_CHECK_MS = 2000;
const ROTATION_STORED = 'heatops.rotation';

export type FigureOf<Name extends FigureRow['figure']> = Extract<FigureRow, { figure: Name }>;
export interface Happening {
  key: string;
  version: number;
  row: HappeningRow;
}

const waiting = (): Record<Topic, Freshness> =>
  Object.fromEntries(TOPICS.map((topic) => [topic, { state: 'waiting' }])) as Record<Topic, Freshness>;

const flags = (of: (topic: Topic) => boolean): Record<Topic, boolean> =>
  Object.fromEntries(TOPICS.map((topic) => [topic, of(topic)])) as Record<Topic, boolean>;

export class Wall {
  session = $state.raw<Session>() as Session;
  connection = $state<Connection>('connecting');
  /** Since when the line is down, Unix seconds of the business clock. */
  lostAt = $state<number | null>(null);
  /** Business time, whole Unix seconds. */
  now = $state(0);
  freshness = $state.raw(waiting());
  /** Counts recomputations: what lists rows of the live maps depends on it. */
  revision = $state(0);
  tickets = $state.raw(summarizeTickets([]));
  crews = $state.raw(summarizeCrews([]));
  outages = $state.raw(summarizeOutages([], 0));
  sentiment = $state.raw(summarizeSentiment([]));
  roomAlarms = $state(0);
  arrearsAt = $state<number | null>(null);
  /** No source has ever written to the topic, and nothing stands in it: its zero means nothing. */
  silent = $state.raw<Record<Topic, boolean>>(flags(() => false));
  happenings = $state.raw<Happening[]>([]);
  figures = $state.raw(new Map<string, FigureRow>());
  complete = $state(false);

  shown = $state<Record<Layer, boolean>>({ arrears: true, tickets: true, crews: true, rooms: true, sentiment: true });
  rotating = $state(localStorage.getItem(ROTATION_STORED) === '1');
  /** The layer whose turn it is, and where the camera stands, while it rotates. */
  turn = $state<Layer | null>(null);
  stop = $state<string | null>(null);
  panel = $state.raw<Panel | null>(null);

  incident = $derived(worstIncident(this.tickets, this.outages));
  /** A red ticket lacks a confirmed crew or is overdue: rotation rests, arrears fade. */
  urgent = $derived(this.tickets.urgent > 0);
  layers = $derived(
    Object.fromEntries(
      LAYERS.map((layer) => [layer, worst(LAYER_TOPICS[layer].map((topic) => this.freshness[topic]))]),
    ) as Record<Layer, Freshness>,
  );

  readonly live: LiveClient;
  #mapChanged: ((topic: Topic, change: Change) => void) | null = null;
  #dirty = new Set<Topic>();
  #timer: number | undefined;
  #lastRun = 0;
  /** The minute of the business clock that outages were last held against. */
  #outagesMinute = 0;

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

  start(): void {
    this.live.start();
    window.setInterval(() => this.#clock(), FRESHNESS_EVERY_MS);
    window.setInterval(() => void this.#refreshSession(), SESSION_EVERY_MS);
  }

  onMapData(listener: (topic: Topic, change: Change) => void): void {
    this.#mapChanged = listener;
  }

  figure<Name extends FigureRow['figure']>(name: Name): FigureOf<Name> | null {
    return (this.figures.get(name) as FigureOf<Name> | undefined) ?? null;
  }

  toggle(layer: Layer): void {
    this.shown[layer] = !this.shown[layer];
  }

  /** Shows another company; its wall is another picture altogether, so the page begins anew. */
  async moveTo(code: string): Promise<void> {
    try {
      await changeCompany(code);
    } finally {
      location.reload();
    }
  }

  setRotating(on: boolean): void {
    this.rotating = on;
    localStorage.setItem(ROTATION_STORED, on ? '1' : '0');
  }

  #connected(state: Connection): void {
    if (state === 'open') this.lostAt = null;
    else if (this.lostAt === null && this.connection === 'open') this.lostAt = this.now;
    this.connection = state;
    // A new server may serve new pages: compare versions as soon as the line is back.
    if (state === 'open') void this.#refreshSession();
    // The session may have moved to another company, or be signed in again, in another window.
    if (state === 'signed_out') window.setTimeout(() => void this.#refreshSession(), SIGNED_OUT_CHECK_MS);
  }

  async #refreshSession(): Promise<void> {
    try {
      const fresh = await readSession();
      const other = fresh.company.code !== this.session.company.code;
      // The one reason to reload a wall: the server now speaks for another version, or for another company.
      if (other || fresh.version !== this.session.version) location.reload();
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
    // A promised end passes without a row that changes.
    const minute = Math.floor(this.now / 60);
    if (minute !== this.#outagesMinute && this.live.hasSnapshot('outages')) this.#summarizeOutages();
    const next = waiting();
    let same = true;
    for (const topic of TOPICS) {
      const [was, is] = [this.freshness[topic], this.live.freshness(topic)];
      next[topic] = is;
      same &&=
        was.state === is.state &&
        (was.state !== 'stale' || is.state !== 'stale' || Math.floor(was.seconds) === Math.floor(is.seconds));
    }
    if (!same) this.freshness = next;
    const silent = flags((topic) => this.live.silent(topic));
    if (TOPICS.some((topic) => silent[topic] !== this.silent[topic])) this.silent = silent;
  }

  #summarizeOutages(): void {
    const now = this.live.businessNow() ?? this.now;
    this.#outagesMinute = Math.floor(now / 60);
    this.outages = summarizeOutages(this.live.rows('outages'), now);
  }

  #changed(topic: Topic, change: Change): void {
    this.#mapChanged?.(topic, change);
    this.#dirty.add(topic);
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, FIGURES_EVERY_MS - (performance.now() - this.#lastRun));
    this.#timer = window.setTimeout(() => this.#recompute(), wait);
  }

  #recompute(): void {
    this.#timer = undefined;
    this.#lastRun = performance.now();
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const live = this.live;
    if (dirty.has('tickets')) this.tickets = summarizeTickets(live.rows('tickets'));
    if (dirty.has('crews')) this.crews = summarizeCrews(live.rows('crews'));
    if (dirty.has('outages')) this.#summarizeOutages();
    if (dirty.has('sentiment')) this.sentiment = summarizeSentiment(live.rows('sentiment'));
    if (dirty.has('rooms')) this.roomAlarms = live.rows('rooms').size;
    if (dirty.has('figures')) {
      this.figures = new Map([...live.rows('figures')].map(([key, entry]) => [key, entry.row]));
    }
    if (dirty.has('arrears')) {
      let latest: number | null = null;
      for (const { row } of live.rows('arrears').values()) latest = Math.max(latest ?? 0, row.published_at);
      this.arrearsAt = latest;
    }
    if (dirty.has('happenings')) {
      this.happenings = [...live.rows('happenings')]
        .map(([key, { version, row }]) => ({ key, version, row }))
        .sort((a, b) => b.version - a.version);
    }
    if (!this.complete) this.complete = TOPICS.every((topic) => live.hasSnapshot(topic));
    this.revision += 1;
  }
}
