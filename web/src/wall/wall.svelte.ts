// What the wall knows: the live rows, the figures computed from them, and what the viewer chose to see.
import type { Session } from '../lib/api';
import { each, Feed } from '../lib/feed.svelte';
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

const ROTATION_STORED = 'heatops.rotation';

export type FigureOf<Name extends FigureRow['figure']> = Extract<FigureRow, { figure: Name }>;
export interface Happening {
  key: string;
  version: number;
  row: HappeningRow;
}

export class Wall extends Feed {
  /** Counts recomputations: what lists rows of the live maps depends on it. */
  revision = $state(0);
  tickets = $state.raw(summarizeTickets([]));
  crews = $state.raw(summarizeCrews([]));
  outages = $state.raw(summarizeOutages([], 0));
  sentiment = $state.raw(summarizeSentiment([]));
  roomAlarms = $state(0);
  arrearsAt = $state<number | null>(null);
  /** No source has ever written to the topic, and nothing stands in it: its zero means nothing. */
  silent = $state.raw<Record<Topic, boolean>>(each(() => false));
  happenings = $state.raw<Happening[]>([]);
  figures = $state.raw(new Map<string, FigureRow>());

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

  /** The minute of the business clock that outages were last held against. */
  #outagesMinute = 0;

  figure<Name extends FigureRow['figure']>(name: Name): FigureOf<Name> | null {
    return (this.figures.get(name) as FigureOf<Name> | undefined) ?? null;
  }

  toggle(layer: Layer): void {
    this.shown[layer] = !this.shown[layer];
  }

  setRotating(on: boolean): void {
    this.rotating = on;
    localStorage.setItem(ROTATION_STORED, on ? '1' : '0');
  }

  /** The one reason to reload a wall: the server now speaks for another version, or for another company. */
  protected override outdatedBy(fresh: Session): boolean {
    return fresh.version !== this.session.version;
  }

  protected override beat(): void {
    // A promised end passes without a row that changes.
    const minute = Math.floor(this.now / 60);
    if (minute !== this.#outagesMinute && this.live.hasSnapshot('outages')) this.#summarizeOutages();
    const silent = each((topic) => this.live.silent(topic));
    if (TOPICS.some((topic) => silent[topic] !== this.silent[topic])) this.silent = silent;
  }

  protected override tell(topics: ReadonlySet<Topic>): void {
    const live = this.live;
    if (topics.has('tickets')) this.tickets = summarizeTickets(live.rows('tickets'));
    if (topics.has('crews')) this.crews = summarizeCrews(live.rows('crews'));
    if (topics.has('outages')) this.#summarizeOutages();
    if (topics.has('sentiment')) this.sentiment = summarizeSentiment(live.rows('sentiment'));
    if (topics.has('rooms')) this.roomAlarms = live.rows('rooms').size;
    if (topics.has('figures')) {
      this.figures = new Map([...live.rows('figures')].map(([key, entry]) => [key, entry.row]));
    }
    if (topics.has('arrears')) {
      let latest: number | null = null;
      for (const { row } of live.rows('arrears').values()) latest = Math.max(latest ?? 0, row.published_at);
      this.arrearsAt = latest;
    }
    if (topics.has('happenings')) {
      this.happenings = [...live.rows('happenings')]
        .map(([key, { version, row }]) => ({ key, version, row }))
        .sort((a, b) => b.version - a.version);
    }
    this.revision += 1;
  }

  #summarizeOutages(): void {
    const now = this.live.businessNow() ?? this.now;
    this.#outagesMinute = Math.floor(now / 60);
    this.outages = summarizeOutages(this.live.rows('outages'), now);
  }
}
