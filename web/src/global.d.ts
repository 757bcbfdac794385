import type { Map as MapLibre } from 'maplibre-gl';

declare global {
  interface Window {
    /** What the end-to-end tests look at; set when the first whole picture is drawn. */
    __heatops?: {
      ready: true;
      map: MapLibre;
      readonly topics: Record<string, { state: string; seq: number | null }>;
    };
  }
}
