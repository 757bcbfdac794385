// The ground under everything: the imported city from our own tiles, or plain ground without one.
import type { ExpressionSpecification, LayerSpecification, SourceSpecification } from 'maplibre-gl';
import latin400 from '@fontsource/noto-sans-sc/files/noto-sans-sc-latin-400-normal.woff2?url';
import latin700 from '@fontsource/noto-sans-sc/files/noto-sans-sc-latin-700-normal.woff2?url';
import chinese400 from '@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-400-normal.woff2?url';
import chinese500 from '@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-500-normal.woff2?url';
import latin500 from '@fontsource/noto-sans-sc/files/noto-sans-sc-latin-500-normal.woff2?url';
import type { City } from '../lib/api';
import { INK } from './colors';

export const FONT = ['Noto Sans SC'];
export const FONT_MEDIUM = ['Noto Sans SC Medium'];
/** Digits of clusters and counts: latin only, so no second megabyte is decoded for them. */
export const FONT_FIGURES = ['Noto Sans SC Figures'];

const LATIN = ['U+0-FF', 'U+2013-2014', 'U+2018-201D', 'U+2022', 'U+2026', 'U+2212'];
const absolute = (path: string): string => new URL(path, location.href).href;

export const fontFaces = {
  'Noto Sans SC': [{ url: absolute(latin400), 'unicode-range': LATIN }, { url: absolute(chinese400) }],
  'Noto Sans SC Medium': [{ url: absolute(latin500), 'unicode-range': LATIN }, { url: absolute(chinese500) }],
  'Noto Sans SC Figures': [{ url: absolute(latin700) }],
};

const width = (at10: number, at13: number, at16: number): ExpressionSpecification => [
  'interpolate',
  ['exponential', 1.5],
  ['zoom'],
  10,
  at10,
  13,
  at13,
  16,
  at16,
];

function road(
  id: string,
  classes: string[],
  color: string,
  lineWidth: ExpressionSpecification,
  minzoom: number,
): LayerSpecification {
  return {
    id,
    type: 'line',
    source: 'city',
    'source-layer': 'road',
    minzoom,
    filter: ['in', ['get', 'class'], ['literal', classes]],
    layout: { 'line-join': 'round', 'line-cap': 'round' },
    paint: { 'line-color': color, 'line-width': lineWidth },
  };
}

const ground: LayerSpecification = { id: 'ground', type: 'background', paint: { 'background-color': INK } };

export const tilesUrl = (city: City): string => `pmtiles://${absolute(city.tiles)}`;

export function citySource(city: City): SourceSpecification {
  return { type: 'vector', url: tilesUrl(city) };
}

/** Everything under the arrears grid. */
export function groundLayers(city: City | null): LayerSpecification[] {
  if (city === null) return [ground];
  return [
    ground,
    { id: 'green', type: 'fill', source: 'city', 'source-layer': 'green', paint: { 'fill-color': '#0d1a19' } },
    { id: 'water', type: 'fill', source: 'city', 'source-layer': 'water', paint: { 'fill-color': '#10293f' } },
    {
      id: 'waterway',
      type: 'line',
      source: 'city',
      'source-layer': 'waterway',
      minzoom: 12,
      filter: ['!=', ['get', 'class'], 'river'],
      paint: { 'line-color': '#10293f', 'line-width': 1.2 },
    },
    {
      id: 'building',
      type: 'fill',
      source: 'city',
      'source-layer': 'building',
      minzoom: 13,
      paint: { 'fill-color': '#17212d', 'fill-outline-color': '#223040' },
    },
    {
      id: 'rail',
      type: 'line',
      source: 'city',
      'source-layer': 'rail',
      filter: ['==', ['get', 'class'], 'rail'],
      paint: { 'line-color': '#343041', 'line-width': 1, 'line-dasharray': [4, 3] },
    },
    road('road-foot', ['footway', 'path', 'steps', 'cycleway', 'track'], '#152029', width(0.3, 0.5, 1.5), 14),
    road(
      'road-minor',
      ['residential', 'unclassified', 'living_street', 'service', 'pedestrian', 'road'],
      '#1d2a38',
      width(0.3, 0.8, 5),
      12,
    ),
    road(
      'road-mid',
      ['tertiary', 'secondary', 'tertiary_link', 'secondary_link'],
      '#253445',
      width(0.5, 1.6, 9),
      10,
    ),
    road(
      'road-main',
      ['primary', 'trunk', 'motorway', 'primary_link', 'trunk_link', 'motorway_link'],
      '#324459',
      width(0.9, 2.6, 13),
      9,
    ),
  ];
}

/** The names: above the arrears grid, under every mark. */
export function nameLayers(city: City | null): LayerSpecification[] {
  if (city === null) return [];
  return [
    {
      id: 'name-road',
      type: 'symbol',
      source: 'city',
      'source-layer': 'road',
      minzoom: 11.4,
      filter: [
        'all',
        ['has', 'name'],
        ['any', ['>=', ['zoom'], 12], ['in', ['get', 'class'], ['literal', ['motorway', 'trunk', 'primary', 'secondary']]]],
      ],
      layout: {
        'symbol-placement': 'line',
        'text-field': ['get', 'name'],
        'text-font': FONT,
        'text-size': ['interpolate', ['linear'], ['zoom'], 12, 14, 15, 18],
        'symbol-spacing': 420,
        'text-max-angle': 35,
        'text-padding': 4,
        'symbol-sort-key': [
          'match',
          ['get', 'class'],
          ['motorway', 'trunk'],
          0,
          'primary',
          1,
          'secondary',
          2,
          'tertiary',
          3,
          4,
        ],
      },
      paint: { 'text-color': '#8499b0', 'text-halo-color': INK, 'text-halo-width': 1.8 },
    },
    {
      id: 'name-river',
      type: 'symbol',
      source: 'city',
      'source-layer': 'waterway',
      filter: ['has', 'name'],
      layout: {
        'symbol-placement': 'line',
        'text-field': ['get', 'name'],
        'text-font': FONT,
        'text-size': 18,
        'text-letter-spacing': 0.25,
      },
      paint: { 'text-color': '#5f94bd', 'text-halo-color': '#0a1a2a', 'text-halo-width': 1.8 },
    },
    {
      id: 'name-place',
      type: 'symbol',
      source: 'city',
      'source-layer': 'place',
      filter: [
        'any',
        ['in', ['get', 'class'], ['literal', ['city', 'district', 'town']]],
        ['>=', ['zoom'], 12],
      ],
      layout: {
        'text-field': ['get', 'name'],
        'text-font': FONT_MEDIUM,
        'text-size': ['match', ['get', 'class'], ['city', 'district'], 24, ['town', 'suburb'], 17, 15],
        'text-padding': 8,
        'symbol-sort-key': ['match', ['get', 'class'], 'city', 0, 'district', 1, 'town', 2, 'suburb', 3, 4],
      },
      paint: {
        'text-color': ['match', ['get', 'class'], ['city', 'district'], '#b4c2d1', '#8498ae'],
        'text-halo-color': INK,
        'text-halo-width': 2,
      },
    },
  ];
}
