// What the desk draws over the city's map: the selected ticket, and from each proposed crew a line to it.
import type { GeoJSONSource, LayerSpecification, Map as MapLibre } from 'maplibre-gl';
import type { Feature } from 'geojson';
import type { Choice, PositionRow, TicketRow } from '../../lib/wire';
import { FONT_MEDIUM } from '../../map/base-style';
import { INK, TEXT } from '../../map/colors';
import { collection, isLocated } from '../../map/features';

const SOURCE = 'desk';
const ON_WAY = '#6fd3ff';

const layers: LayerSpecification[] = [
  {
    id: 'desk-line-edge',
    type: 'line',
    source: SOURCE,
    filter: ['==', ['geometry-type'], 'LineString'],
    paint: { 'line-color': INK, 'line-width': 6, 'line-opacity': 0.7 },
  },
  {
    id: 'desk-line',
    type: 'line',
    source: SOURCE,
    filter: ['==', ['geometry-type'], 'LineString'],
    paint: {
      'line-color': ['case', ['get', 'first'], ON_WAY, TEXT],
      'line-width': ['case', ['get', 'first'], 3, 1.5],
      'line-opacity': ['case', ['get', 'first'], 1, 0.6],
      'line-dasharray': [2, 2],
    },
  },
  {
    id: 'desk-ring',
    type: 'circle',
    source: SOURCE,
    filter: ['==', ['get', 'what'], 'ticket'],
    paint: { 'circle-radius': 24, 'circle-opacity': 0, 'circle-stroke-width': 3, 'circle-stroke-color': TEXT },
  },
  {
    id: 'desk-crew',
    type: 'symbol',
    source: SOURCE,
    filter: ['==', ['get', 'what'], 'crew'],
    layout: {
      'text-field': ['get', 'name'],
      'text-font': FONT_MEDIUM,
      'text-size': 16,
      'text-anchor': 'left',
      'text-offset': [0.9, 0],
      'text-allow-overlap': true,
      'text-ignore-placement': true,
    },
    paint: { 'text-color': TEXT, 'text-halo-color': INK, 'text-halo-width': 2.5 },
  },
];

export interface Scene {
  ticket: TicketRow | null;
  /** Proposed crews, best first; or the one that has it. */
  crews: { name: string; at: PositionRow }[];
}

export function sceneOf(
  ticket: TicketRow | null,
  choices: readonly Choice[],
  positions: ReadonlyMap<string, { row: PositionRow }>,
): Scene {
  if (ticket === null) return { ticket: null, crews: [] };
  const wanted = ticket.crew === null ? choices.map((one) => ({ id: one.crew, name: one.crew_name })) : [{ id: ticket.crew, name: ticket.crew_name ?? ticket.crew }];
  const crews = wanted.flatMap(({ id, name }) => {
    const at = positions.get(id)?.row;
    return at === undefined ? [] : [{ name, at }];
  });
  return { ticket, crews };
}

function features({ ticket, crews }: Scene): Feature[] {
  if (ticket === null || !isLocated(ticket)) return [];
  const at = [ticket.lon, ticket.lat];
  const found: Feature[] = [{ type: 'Feature', geometry: { type: 'Point', coordinates: at }, properties: { what: 'ticket' } }];
  crews.forEach(({ name, at: crew }, i) => {
    const from = [crew.lon, crew.lat];
    found.push({ type: 'Feature', geometry: { type: 'LineString', coordinates: [from, at] }, properties: { first: i === 0 } });
    found.push({ type: 'Feature', geometry: { type: 'Point', coordinates: from }, properties: { what: 'crew', name } });
  });
  return found;
}

/** Draws the scene; a style that was made anew gets its layers again. */
export function draw(map: MapLibre, scene: Scene): void {
  if (map.style === undefined || !map.isStyleLoaded()) {
    map.once('idle', () => draw(map, scene));
    return;
  }
  if (map.getSource(SOURCE) === undefined) {
    map.addSource(SOURCE, { type: 'geojson', data: collection([]) });
    for (const layer of layers) map.addLayer(layer);
  }
  void map.getSource<GeoJSONSource>(SOURCE)?.setData(collection(features(scene)));
}
