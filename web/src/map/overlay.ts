// The layers over the city as plain specifications of what they should look like now; city-map.ts applies the difference.
import type { ExpressionSpecification, LayerSpecification, SourceSpecification } from 'maplibre-gl';
import type { Layer } from '../wall/layers';
import { FONT_FIGURES, FONT_MEDIUM } from './base-style';
import { ARREARS, COLD, GREY, INK, PINK, TEXT } from './colors';
import { collection } from './features';
import { clusterIcon, PILL_ICON, ROOM_ICON, STALE } from './icons';

export interface View {
  shown: Record<Layer, boolean>;
  stale: Record<Layer | 'outages', boolean>;
  /** An incident is on: the arrears grid steps back. */
  faded: boolean;
}

/** How strongly ticket marks are gathered: hardly at all on a wall with few, more on a phone or with very many. */
export function clusterRadius(tickets: number, mapWidth: number): number {
  if (tickets > 1500) return 56;
  return mapWidth < 700 ? 30 : 9;
}
/** From here on only tickets at the very same place stay gathered. */
export const CLUSTER_MAX_ZOOM = 16;
/** Below: alarms by substation. From here by building, and from the next one by point. */
const ROOMS_BY_BUILDING = 13;
const ROOMS_BY_POINT = 15;

const empty = (): SourceSpecification => ({ type: 'geojson', data: collection([]), promoteId: 'id' });

export function overlaySources(): Record<string, SourceSpecification> {
  return {
    arrears: empty(),
    'sentiment-areas': empty(),
    'sentiment-names': empty(),
    outages: empty(),
    'rooms-substation': empty(),
    'rooms-building': empty(),
    'rooms-point': empty(),
    tickets: {
      type: 'geojson',
      data: collection([]),
      promoteId: 'id',
      cluster: true,
      clusterRadius: clusterRadius(0, Infinity),
      clusterMaxZoom: CLUSTER_MAX_ZOOM,
      maxzoom: 17,
      clusterProperties: { rank: ['max', ['get', 'rank']], late: ['max', ['get', 'late']] },
    },
    crews: empty(),
  };
}

const icon = (name: ExpressionSpecification, stale: boolean): ExpressionSpecification =>
  stale ? ['concat', name, STALE] : name;
const named = (name: string, stale: boolean): string => (stale ? name + STALE : name);
const visibility = (shown: boolean): 'visible' | 'none' => (shown ? 'visible' : 'none');

/** A cluster shows the shape of the worst level in it. */
const worstShape = (late: boolean): ExpressionSpecification => [
  'match',
  ['get', 'rank'],
  2,
  clusterIcon('red', late),
  1,
  clusterIcon('yellow', late),
  clusterIcon('blue', late),
];

export function arrearsLayers(view: View): LayerSpecification[] {
  const stale = view.stale.arrears;
  const color: ExpressionSpecification = [
    'match',
    ['get', 'band'],
    1,
    ARREARS[0],
    2,
    ARREARS[1],
    3,
    ARREARS[2],
    4,
    ARREARS[3],
    ARREARS[4],
  ];
  return [
    {
      id: 'arrears',
      type: 'fill',
      source: 'arrears',
      layout: { visibility: visibility(view.shown.arrears) },
      paint: {
        'fill-color': stale ? GREY : color,
        'fill-opacity': stale ? 0.14 : view.faded ? 0.26 : 0.6,
        'fill-opacity-transition': { duration: 1200, delay: 0 },
        'fill-antialias': false,
      },
    },
    {
      id: 'arrears-edge',
      type: 'line',
      source: 'arrears',
      layout: { visibility: visibility(view.shown.arrears) },
      paint: { 'line-color': INK, 'line-width': 1, 'line-opacity': 0.55 },
    },
  ];
}

function sentimentLayers(view: View): LayerSpecification[] {
  const pink = view.stale.sentiment ? GREY : PINK;
  const visible = visibility(view.shown.sentiment);
  const spike: ExpressionSpecification = ['get', 'spike'];
  return [
    {
      id: 'sentiment',
      type: 'fill',
      source: 'sentiment-areas',
      layout: { visibility: visible },
      paint: {
        'fill-color': pink,
        'fill-opacity': ['case', spike, 0.16, ['interpolate', ['linear'], ['get', 'share'], 0, 0, 1, 0.08]],
      },
    },
    {
      id: 'sentiment-ring',
      type: 'line',
      source: 'sentiment-areas',
      layout: { visibility: visible },
      paint: {
        'line-color': pink,
        'line-width': ['case', spike, 3, 1],
        'line-opacity': ['case', spike, 1, 0.28],
      },
    },
    {
      id: 'sentiment-name',
      type: 'symbol',
      source: 'sentiment-names',
      layout: {
        visibility: visible,
        'text-field': ['get', 'label'],
        'text-font': FONT_MEDIUM,
        'text-size': 17,
        'text-allow-overlap': true,
        'text-ignore-placement': true,
      },
      paint: { 'text-color': pink, 'text-halo-color': INK, 'text-halo-width': 2 },
    },
  ];
}

function outageLayers(view: View): LayerSpecification[] {
  const stale = view.stale.outages;
  return [
    {
      id: 'outages',
      type: 'symbol',
      source: 'outages',
      layout: {
        'icon-image': icon(['get', 'icon'], stale),
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'text-field': ['get', 'label'],
        'text-font': FONT_MEDIUM,
        'text-size': 17,
        'text-anchor': 'top',
        'text-offset': [0, 1.85],
        'text-allow-overlap': true,
        'text-ignore-placement': true,
      },
      paint: { 'text-color': stale ? GREY : TEXT, 'text-halo-color': INK, 'text-halo-width': 2 },
    },
  ];
}

function roomCounts(id: string, view: View, zooms: { minzoom?: number; maxzoom?: number }): LayerSpecification {
  const stale = view.stale.rooms;
  return {
    id,
    type: 'symbol',
    source: id,
    ...zooms,
    layout: {
      visibility: visibility(view.shown.rooms),
      'icon-image': named(PILL_ICON, stale),
      'icon-text-fit': 'both',
      'icon-text-fit-padding': [1, 3, 1, 3],
      'icon-allow-overlap': true,
      'icon-ignore-placement': true,
      'text-field': ['concat', '↓', ['to-string', ['get', 'n']]],
      'text-font': FONT_FIGURES,
      'text-size': 16,
      'text-allow-overlap': true,
      'text-ignore-placement': true,
      'symbol-sort-key': ['get', 'n'],
    },
    // Above its place: a substation that is shut off has its own mark there.
    paint: { 'text-color': stale ? GREY : COLD, 'icon-translate': [0, -24], 'text-translate': [0, -24] },
  };
}

function roomLayers(view: View): LayerSpecification[] {
  return [
    roomCounts('rooms-substation', view, { maxzoom: ROOMS_BY_BUILDING }),
    roomCounts('rooms-building', view, { minzoom: ROOMS_BY_BUILDING, maxzoom: ROOMS_BY_POINT }),
    {
      id: 'rooms-point',
      type: 'symbol',
      source: 'rooms-point',
      minzoom: ROOMS_BY_POINT,
      layout: {
        visibility: visibility(view.shown.rooms),
        'icon-image': named(ROOM_ICON, view.stale.rooms),
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
      },
    },
  ];
}

function ticketLayers(view: View): LayerSpecification[] {
  const stale = view.stale.tickets;
  const visible = visibility(view.shown.tickets);
  const isRed: ExpressionSpecification = ['==', ['get', 'rank'], 2];
  return [
    {
      id: 'tickets',
      type: 'symbol',
      source: 'tickets',
      filter: ['!', ['has', 'point_count']],
      layout: {
        visibility: visible,
        'icon-image': icon(['get', 'icon'], stale),
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'symbol-sort-key': ['get', 'order'],
      },
    },
    {
      id: 'ticket-clusters',
      type: 'symbol',
      source: 'tickets',
      filter: ['has', 'point_count'],
      layout: {
        visibility: visible,
        'icon-image': icon(['case', ['==', ['get', 'late'], 1], worstShape(true), worstShape(false)], stale),
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'icon-size': ['step', ['get', 'point_count'], 1, 100, 1.3, 1000, 1.75],
        'text-field': ['to-string', ['get', 'point_count_abbreviated']],
        'text-font': FONT_FIGURES,
        'text-size': ['step', ['get', 'point_count'], 15, 100, 16, 1000, 17],
        'text-offset': ['case', isRed, ['literal', [0, 0.22]], ['literal', [0, 0]]],
        'text-allow-overlap': true,
        'text-ignore-placement': true,
        'symbol-sort-key': ['get', 'rank'],
      },
      paint: { 'text-color': INK },
    },
  ];
}

function crewLayers(view: View): LayerSpecification[] {
  return [
    {
      id: 'crews',
      type: 'symbol',
      source: 'crews',
      layout: {
        visibility: visibility(view.shown.crews),
        'icon-image': icon(['get', 'icon'], view.stale.crews),
        'icon-rotate': ['get', 'heading'],
        'icon-rotation-alignment': 'map',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
      },
      paint: { 'icon-opacity': ['case', ['get', 'lost'], 0.8, 1] },
    },
  ];
}

/** Above the names, from bottom to top. */
export function markLayers(view: View): LayerSpecification[] {
  return [
    ...sentimentLayers(view),
    ...outageLayers(view),
    ...roomLayers(view),
    ...ticketLayers(view),
    ...crewLayers(view),
  ];
}

/** The layers that a click may hit, topmost first. */
export const CLICKABLE = [
  'crews',
  'ticket-clusters',
  'tickets',
  'rooms-point',
  'rooms-building',
  'rooms-substation',
  'outages',
  'sentiment-name',
  'sentiment',
  'arrears',
] as const;
