// The ground of one ticket: the building's outline with its fence, and where the crew's phone said it was.
import { addProtocol, LngLatBounds, Map as MapLibre, setWorkerUrl, type GeoJSONSource, type StyleSpecification } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { Protocol } from 'pmtiles';
import type { City } from '../lib/api';
import { citySource, FONT_MEDIUM, fontFaces, groundLayers, nameLayers } from './base-style';
import { COLD, GREY, INK, OK, PINK, RED, TEXT, YELLOW } from './colors';

export interface SiteFix {
  lon: number;
  lat: number;
  accuracy_m: number;
  /** Of the track, of a check-in or check-out, of a photo. */
  kind: 'track' | 'press' | 'photo';
  /** Whether it is taken at its word. */
  good: boolean;
  name: string;
}

interface Area {
  type: string;
  coordinates: unknown;
}

export interface SiteScene {
  outline: Area | null;
  /** The fence around it. */
  border: Area;
  fixes: SiteFix[];
}

type Feature = { type: 'Feature'; geometry: Area; properties: Record<string, unknown> };

const EARTH_M = 6_371_008.8;
const CLOSEST = 17.5;
const MARGIN_PX = 36;

/** Metres east and north as degrees at a latitude. */
const degrees = (east: number, north: number, lat: number): [number, number] => [
  (east / EARTH_M / Math.cos((lat * Math.PI) / 180)) * (180 / Math.PI),
  (north / EARTH_M) * (180 / Math.PI),
];

function circle(lon: number, lat: number, radius_m: number): Feature['geometry'] {
  const ring = Array.from({ length: 49 }, (_, n) => {
    const angle = (n / 48) * 2 * Math.PI;
    const [x, y] = degrees(radius_m * Math.cos(angle), radius_m * Math.sin(angle), lat);
    return [lon + x, lat + y];
  });
  return { type: 'Polygon', coordinates: [ring] };
}

function corners(coordinates: unknown): [number, number][] {
  if (!Array.isArray(coordinates)) return [];
  if (typeof coordinates[0] === 'number') return [[coordinates[0], coordinates[1] as number]];
  return coordinates.flatMap(corners);
}

export class SiteMap {
  #map: MapLibre;
  #scene: SiteScene | null = null;
  #loaded = false;

  /** Throws when the browser has no WebGL 2. */
  constructor(container: HTMLElement, city: City | null, drawn: () => void) {
    setWorkerUrl(workerUrl);
    addProtocol('pmtiles', new Protocol().tile);
    const none = { type: 'geojson', data: { type: 'FeatureCollection', features: [] } };
    this.#map = new MapLibre({
      container,
      style: {
        version: 8,
        'font-faces': fontFaces,
        sources: { ...(city === null ? {} : { city: citySource(city) }), site: none },
        layers: [
          ...groundLayers(city),
          ...(city === null ? [] : nameLayers(city)),
          { id: 'fence', type: 'fill', source: 'site', filter: ['==', ['get', 'what'], 'fence'], paint: { 'fill-color': COLD, 'fill-opacity': 0.14 } },
          { id: 'fence-edge', type: 'line', source: 'site', filter: ['==', ['get', 'what'], 'fence'], paint: { 'line-color': COLD, 'line-width': 1.5, 'line-dasharray': [4, 3] } },
          { id: 'house', type: 'fill', source: 'site', filter: ['==', ['get', 'what'], 'outline'], paint: { 'fill-color': COLD, 'fill-opacity': 0.35 } },
          { id: 'house-edge', type: 'line', source: 'site', filter: ['==', ['get', 'what'], 'outline'], paint: { 'line-color': COLD, 'line-width': 2 } },
          { id: 'accuracy', type: 'line', source: 'site', filter: ['==', ['get', 'what'], 'accuracy'], paint: { 'line-color': ['get', 'color'], 'line-width': 1.5, 'line-dasharray': [3, 2] } },
          { id: 'track', type: 'line', source: 'site', filter: ['==', ['get', 'what'], 'track'], paint: { 'line-color': GREY, 'line-width': 1.5 } },
          { id: 'fix', type: 'circle', source: 'site', filter: ['==', ['get', 'what'], 'fix'], paint: { 'circle-radius': ['get', 'radius'], 'circle-color': ['get', 'color'], 'circle-stroke-width': 1.5, 'circle-stroke-color': INK } },
          {
            id: 'name', type: 'symbol', source: 'site', filter: ['==', ['get', 'what'], 'fix'],
            layout: { 'text-field': ['get', 'name'], 'text-font': FONT_MEDIUM, 'text-size': 13, 'text-offset': [0.8, 0], 'text-anchor': 'left', 'text-optional': true },
            paint: { 'text-color': TEXT, 'text-halo-color': INK, 'text-halo-width': 2 },
          },
        ],
      } as unknown as StyleSpecification,
      center: city === null ? [0, 0] : [city.center_lon, city.center_lat],
      zoom: 15,
      fadeDuration: 0,
      attributionControl: false,
      dragRotate: false,
      validateStyle: false,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.on('load', () => {
      this.#loaded = true;
      this.#draw();
    });
    this.#map.on('idle', drawn);
    this.#map.on('error', (event) => console.warn(event.error.message));
  }

  show(scene: SiteScene): void {
    this.#scene = scene;
    const bounds = new LngLatBounds();
    for (const corner of corners(scene.border.coordinates)) bounds.extend(corner);
    for (const fix of scene.fixes) if (fix.kind !== 'track') bounds.extend([fix.lon, fix.lat]);
    this.#map.fitBounds(bounds, { padding: MARGIN_PX, maxZoom: CLOSEST, animate: false });
    if (this.#loaded) this.#draw();
  }

  remove(): void {
    this.#map.remove();
  }

  #draw(): void {
    const scene = this.#scene;
    if (scene === null) return;
    const features: Feature[] = [];
    const add = (what: string, geometry: Feature['geometry'], properties: Record<string, unknown> = {}): void => {
      features.push({ type: 'Feature', geometry, properties: { what, ...properties } });
    };
    add('fence', scene.border);
    if (scene.outline !== null) add('outline', scene.outline);
    const track = scene.fixes.filter((fix) => fix.kind === 'track');
    if (track.length > 1) add('track', { type: 'LineString', coordinates: track.map((fix) => [fix.lon, fix.lat]) });
    for (const fix of scene.fixes) {
      const color = fix.kind === 'photo' ? PINK : !fix.good ? (fix.kind === 'track' ? YELLOW : RED) : fix.kind === 'press' ? OK : TEXT;
      add('fix', { type: 'Point', coordinates: [fix.lon, fix.lat] }, { color, radius: fix.kind === 'track' ? 3.5 : 7, name: fix.name });
      if (fix.kind === 'press' && fix.accuracy_m > 0) add('accuracy', circle(fix.lon, fix.lat, fix.accuracy_m), { color });
    }
    void this.#map.getSource<GeoJSONSource>('site')?.setData({ type: 'FeatureCollection', features } as never);
  }
}
