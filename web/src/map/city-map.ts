// The one map instance of the screen: made once, fed with changed rows, never remounted.
import {
  addProtocol,
  Map as MapLibre,
  setWorkerUrl,
  type GeoJSONSource,
  type LayerSpecification,
  type LngLatBoundsLike,
  type MapMouseEvent,
  type StyleSpecification,
  type VectorTileSource,
} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import 'maplibre-gl/dist/maplibre-gl.css';
import type { Feature } from 'geojson';
import { Protocol } from 'pmtiles';
import type { City } from '../lib/api';
import type { Change, LiveClient } from '../lib/live';
import type { OutageRow, SentimentRow, Topic } from '../lib/wire';
import { roomsByBuilding, roomsBySubstation } from '../wall/summary';
import { citySource, fontFaces, tilesUrl, groundLayers, nameLayers } from './base-style';
import {
  arrearsFeatures,
  collection,
  crewFeatures,
  outageFeatures,
  roomGroupFeatures,
  roomPointFeatures,
  sentimentFeatures,
  isLocated,
  ticketFeature,
} from './features';
import { draw, PIXEL_RATIO, stretching } from './icons';
import { CONTEXT_PATIENCE_MS, lastReload, patience, reload } from './last-resort';
import {
  arrearsLayers,
  CLICKABLE,
  CLUSTER_MAX_ZOOM,
  clusterRadius,
  markLayers,
  overlaySources,
  type View,
} from './overlay';
import { pick, type Picked } from './pick';

setWorkerUrl(workerUrl);
const tiles = new Protocol();
addProtocol('pmtiles', tiles.tile);

/** A source's data is sent to the map at most this often. */
const FLUSH_EVERY_MS = 500;
/** Rings that show age, and marks that turn late, are brought up to date this often. */
const AGE_EVERY_MS = 30_000;
/** Above this many tickets nearly all are in clusters: rings are then renewed only as rows change, and less often. */
const VERY_MANY_TICKETS = 20_000;
const FLUSH_VERY_MANY_EVERY_MS = 2000;
/** Room left free at each side when something is fitted into view, in pixels. */
export interface Padding {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Tiles that could not be read are asked for again after this long. */
const TILES_AGAIN_MS = 10_000;

export type Trouble = 'none' | 'context' | 'tiles';

export interface Labels {
  outage(row: OutageRow): string;
  spike(row: SentimentRow): string;
}

export interface CityMapOptions {
  container: HTMLElement;
  city: City | null;
  live: LiveClient;
  view: View;
  labels: Labels;
  picked(picked: Picked): void;
  touched(): void;
  trouble(trouble: Trouble): void;
  idle(): void;
}

type Bag = Record<string, unknown>;

export class CityMap {
  readonly map: MapLibre;
  #options: CityMapOptions;
  #city: City | null;
  #view: View;
  #labels: Labels;
  #applied = new Map<string, string>();
  #fullTickets = true;
  #changedTickets = new Set<string>();
  #dirty = new Set<Topic>();
  #timer: number | undefined;
  #lastFlush = 0;
  #radius: number | null = null;
  #lost = false;
  /** Another city arrived while the context was lost. */
  #outdated = false;
  #patience: number | undefined;
  #tilesTimer: number | undefined;
  #tilesBroken = false;

  /** Throws when the browser has no WebGL 2. */
  constructor(options: CityMapOptions) {
    this.#options = options;
    this.#city = options.city;
    this.#view = options.view;
    this.#labels = options.labels;
    const city = options.city;
    this.map = new MapLibre({
      container: options.container,
      style: this.#style(),
      center: city === null ? [0, 20] : [city.center_lon, city.center_lat],
      zoom: city === null ? 2 : 11.5,
      minZoom: 2,
      maxZoom: 18,
      fadeDuration: 0,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      validateStyle: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.#listen();
    window.setInterval(() => {
      if (!this.#veryMany()) {
        this.#fullTickets = true;
        this.#mark('tickets');
      }
      this.#mark('outages');
    }, AGE_EVERY_MS);
  }

  changed(topic: Topic, change: Change): void {
    if (topic === 'tickets') {
      if (change.full) this.#fullTickets = true;
      else for (const key of [...change.put, ...change.drop]) this.#changedTickets.add(key);
    }
    this.#mark(topic);
  }

  show(view: View): void {
    this.#view = view;
    if (this.#ready()) this.#apply();
  }

  relabel(labels: Labels): void {
    this.#labels = labels;
    this.#mark('outages');
    this.#mark('sentiment');
  }

  /** Another city was imported: new ground, same map. True if it is another one. */
  use(city: City | null): boolean {
    if (this.#city?.tiles === city?.tiles) return false;
    this.#city = city;
    // A lost context comes back with the style it had: the new one follows it then.
    if (this.#lost) this.#outdated = true;
    else this.#restyle();
    return true;
  }

  /** `scale`: how many layout pixels of the map make one of the screen's points. */
  resize(scale: number): void {
    this.map.setPixelRatio(window.devicePixelRatio * scale);
    this.map.resize();
  }

  fit(bounds: LngLatBoundsLike, paddings: Padding[], moving: boolean): void {
    const zoom = (padding: Padding): number => this.map.cameraForBounds(bounds, { padding })?.zoom ?? 0;
    const padding = paddings.reduce((best, other) => (zoom(other) > zoom(best) ? other : best));
    this.map.fitBounds(bounds, { padding, maxZoom: 15.5, duration: moving ? 2500 : 0, essential: true });
  }

  #style(): StyleSpecification {
    const city = this.#city;
    return {
      version: 8,
      'font-faces': fontFaces,
      sources: { ...(city === null ? {} : { city: citySource(city) }), ...overlaySources() },
      layers: [...groundLayers(city), ...arrearsLayers(this.#view), ...nameLayers(city), ...markLayers(this.#view)],
    } as StyleSpecification;
  }

  #restyle(): void {
    this.#outdated = false;
    this.#applied.clear();
    this.map.setStyle(this.#style(), { diff: false });
    this.map.once('style.load', () => this.#everything());
  }

  /** Nothing drawn is worse than no base map. */
  #tell(): void {
    this.#options.trouble(this.#lost ? 'context' : this.#tilesBroken ? 'tiles' : 'none');
  }

  /** MapLibre draws nothing more without its context. Only a server that answers can give the page again. */
  #giveUp(): void {
    if (this.#options.live.connection === 'open') reload(Date.now());
    else this.#patience = window.setTimeout(() => this.#giveUp(), CONTEXT_PATIENCE_MS);
  }

  #listen(): void {
    const map = this.map;
    map.setMissingStyleImageResolver((id) => {
      const mark = draw(id);
      if (mark !== null && !map.hasImage(id)) map.addImage(id, mark, { pixelRatio: PIXEL_RATIO, ...stretching(id) });
    });
    map.on('load', () => this.#everything());
    map.on('idle', () => this.#options.idle());
    map.on('webglcontextlost', () => {
      this.#lost = true;
      this.#tell();
      clearTimeout(this.#patience);
      this.#patience = window.setTimeout(() => this.#giveUp(), patience(lastReload(), Date.now()));
    });
    map.on('webglcontextrestored', () => {
      this.#lost = false;
      clearTimeout(this.#patience);
      this.#tell();
      if (this.#tilesBroken) this.#tilesFailed();
      if (this.#outdated) this.#restyle();
      else if (map.isStyleLoaded()) this.#everything();
      else map.once('style.load', () => this.#everything());
    });
    map.on('error', (event) => {
      if ((event as { sourceId?: string }).sourceId === 'city') this.#tilesFailed();
      else console.warn(event.error.message);
    });
    map.on('sourcedata', (event) => {
      if (this.#tilesBroken && event.sourceId === 'city' && event.tile !== undefined) {
        this.#tilesBroken = false;
        this.#tell();
      }
    });
    map.on('click', (event) => void this.#click(event));
    for (const touch of ['dragstart', 'wheel', 'dblclick', 'touchstart'] as const) {
      map.on(touch, () => this.#options.touched());
    }
  }

  /** Tiles that cannot be read are asked for again, for as long as it takes. */
  #tilesFailed(): void {
    this.#tilesBroken = true;
    this.#tell();
    clearTimeout(this.#tilesTimer);
    this.#tilesTimer = window.setTimeout(() => {
      const city = this.#city;
      if (city === null || this.#lost) return;
      // It remembers a file that it could not open.
      tiles.tiles.clear();
      this.map.getSource<VectorTileSource>('city')?.setUrl(tilesUrl(city));
    }, TILES_AGAIN_MS);
  }

  #ready(): boolean {
    return !this.#lost && this.map.style !== undefined && this.map.getSource('tickets') !== undefined;
  }

  #everything(): void {
    this.#applied.clear();
    this.#radius = null;
    this.#fullTickets = true;
    this.#apply();
    for (const topic of ['tickets', 'crews', 'rooms', 'arrears', 'sentiment', 'outages'] as const) this.#mark(topic);
  }

  /** Brings the map's layers to the present view, property by property. */
  #apply(): void {
    for (const layer of [...arrearsLayers(this.#view), ...markLayers(this.#view)]) {
      for (const part of ['paint', 'layout'] as const) this.#applyPart(layer, part);
    }
  }

  #applyPart(layer: LayerSpecification, part: 'paint' | 'layout'): void {
    for (const [name, value] of Object.entries((layer[part] ?? {}) as Bag)) {
      const [slot, text] = [`${layer.id} ${name}`, JSON.stringify(value)];
      if (this.#applied.get(slot) === text) continue;
      this.#applied.set(slot, text);
      if (part === 'paint') this.map.setPaintProperty(layer.id, name as never, value as never);
      else this.map.setLayoutProperty(layer.id, name as never, value as never);
    }
  }

  #veryMany(): boolean {
    return this.#options.live.rows('tickets').size > VERY_MANY_TICKETS;
  }

  #mark(topic: Topic): void {
    this.#dirty.add(topic === 'positions' ? 'crews' : topic);
    if (this.#timer !== undefined) return;
    const every = this.#veryMany() ? FLUSH_VERY_MANY_EVERY_MS : FLUSH_EVERY_MS;
    const wait = Math.max(0, every - (performance.now() - this.#lastFlush));
    this.#timer = window.setTimeout(() => this.#flush(), wait);
  }

  #set(source: string, features: Feature[]): void {
    void this.map.getSource<GeoJSONSource>(source)?.setData(collection(features));
  }

  #flush(): void {
    this.#timer = undefined;
    this.#lastFlush = performance.now();
    // Without a style the marks wait: #everything() asks for all of them again.
    if (!this.#ready()) return;
    const [dirty, live] = [this.#dirty, this.#options.live];
    this.#dirty = new Set();
    const now = live.businessNow() ?? 0;
    if (dirty.has('tickets')) this.#flushTickets(now);
    if (dirty.has('crews')) this.#set('crews', crewFeatures(live.rows('crews'), live.rows('positions')));
    if (dirty.has('arrears')) this.#set('arrears', arrearsFeatures(live.rows('arrears')));
    if (dirty.has('outages')) this.#set('outages', outageFeatures(live.rows('outages'), now, this.#labels.outage));
    if (dirty.has('sentiment')) {
      const { areas, names } = sentimentFeatures(live.rows('sentiment'), this.#labels.spike);
      this.#set('sentiment-areas', areas);
      this.#set('sentiment-names', names);
    }
    if (dirty.has('rooms')) {
      const rows = live.rows('rooms');
      const buildings = roomsByBuilding(rows);
      this.#set('rooms-substation', roomGroupFeatures(roomsBySubstation(rows)));
      this.#set('rooms-building', roomGroupFeatures(buildings));
      this.#set('rooms-point', roomPointFeatures(rows, buildings));
    }
  }

  /** Whole after a snapshot; otherwise only the tickets that changed, so that 100,000 stay light. */
  #flushTickets(now: number): void {
    const source = this.map.getSource<GeoJSONSource>('tickets');
    if (source === undefined) return;
    const rows = this.#options.live.rows('tickets');
    const radius = clusterRadius(rows.size, this.map.getContainer().clientWidth);
    if (radius !== this.#radius) {
      this.#radius = radius;
      void source.setClusterOptions({ cluster: true, clusterMaxZoom: CLUSTER_MAX_ZOOM, clusterRadius: radius });
    }
    if (this.#fullTickets) {
      this.#fullTickets = false;
      const located = [...rows].filter(([, { row }]) => isLocated(row));
      void source.setData(collection(located.map(([id, { row }]) => ticketFeature(id, row, now))));
    } else {
      const add: Feature[] = [];
      const remove: string[] = [];
      for (const id of this.#changedTickets) {
        const row = rows.get(id)?.row;
        if (row === undefined || !isLocated(row)) remove.push(id);
        else add.push(ticketFeature(id, row, now));
      }
      void source.updateData({ add, remove });
    }
    this.#changedTickets.clear();
  }

  async #click(event: MapMouseEvent): Promise<void> {
    if (!this.#ready()) return;
    const { x, y } = event.point;
    const reach = 5;
    const box: [[number, number], [number, number]] = [
      [x - reach, y - reach],
      [x + reach, y + reach],
    ];
    for (const layer of CLICKABLE) {
      const hits = this.map.queryRenderedFeatures(box, { layers: [layer] });
      if (hits.length === 0) continue;
      const tickets = this.map.getSource<GeoJSONSource>('tickets');
      const picked = await pick(layer, hits, tickets, this.#options.live);
      if (picked !== null) this.#options.picked(picked);
      return;
    }
  }
}
