// One place on a small map: no motion, no keys, drawn only when it is told where.
import { addProtocol, Map as MapLibre, setWorkerUrl, type GeoJSONSource, type StyleSpecification } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { Protocol } from 'pmtiles';
import type { City } from '../lib/api';
import { citySource, fontFaces, groundLayers, nameLayers } from './base-style';
import { COLD, INK, TEXT } from './colors';

export interface Spot {
  lon: number;
  lat: number;
  /** Not exact: one of several, drawn as a ring. */
  exact: boolean;
}

const ZOOM = 15.5;

export class PlaceMap {
  #map: MapLibre;
  #spot: Spot | null = null;

  /** Throws when the browser has no WebGL 2. */
  constructor(container: HTMLElement, city: City) {
    setWorkerUrl(workerUrl);
    addProtocol('pmtiles', new Protocol().tile);
    this.#map = new MapLibre({
      container,
      style: {
        version: 8,
        'font-faces': fontFaces,
        sources: { city: citySource(city), spot: { type: 'geojson', data: { type: 'FeatureCollection', features: [] } } },
        layers: [
          ...groundLayers(city),
          ...nameLayers(city),
          {
            id: 'spot',
            type: 'circle',
            source: 'spot',
            paint: {
              'circle-radius': 8,
              'circle-color': COLD,
              'circle-opacity': ['case', ['get', 'exact'], 1, 0],
              'circle-stroke-width': 3,
              'circle-stroke-color': ['case', ['get', 'exact'], INK, TEXT],
            },
          },
        ],
      } as StyleSpecification,
      center: [city.center_lon, city.center_lat],
      zoom: ZOOM,
      interactive: false,
      fadeDuration: 0,
      attributionControl: false,
      validateStyle: false,
    });
    this.#map.on('load', () => this.#draw());
    this.#map.on('error', (event) => console.warn(event.error.message));
  }

  /** Milliseconds until it stood drawn: how much of this machine's time a place costs. */
  show(spot: Spot): Promise<number> {
    const began = performance.now();
    this.#spot = spot;
    this.#map.jumpTo({ center: [spot.lon, spot.lat] });
    if (this.#map.getSource('spot') !== undefined) this.#draw();
    return new Promise((resolve) => void this.#map.once('idle', () => resolve(performance.now() - began)));
  }

  remove(): void {
    this.#map.remove();
  }

  #draw(): void {
    if (this.#spot === null) return;
    const { lon, lat, exact } = this.#spot;
    void this.#map.getSource<GeoJSONSource>('spot')?.setData({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [lon, lat] },
      properties: { exact },
    });
  }
}
