// Rows as GeoJSON features, with everything a layer needs to draw them in their properties.
import type { Feature, FeatureCollection, Polygon } from 'geojson';
import type { Entry } from '../lib/live/topic';
import type { ArrearsRow, CrewRow, Level, OutageRow, PositionRow, RoomRow, SentimentRow, TicketRow } from '../lib/wire';
import type { RoomGroup } from '../wall/summary';
import { AGE_STEPS, crewIcon, outageIcon, ticketIcon } from './icons';

const RESPOND_S: Record<Level, number> = { red: 1800, yellow: 7200, blue: 86_400 };
const RANK: Record<Level, number> = { blue: 0, yellow: 1, red: 2 };
const METRES_PER_DEGREE = 111_320;

export const collection = (features: Feature[]): FeatureCollection => ({ type: 'FeatureCollection', features });

const point = (id: string, lon: number, lat: number, properties: Record<string, unknown>): Feature => ({
  type: 'Feature',
  geometry: { type: 'Point', coordinates: [lon, lat] },
  properties: { id, ...properties },
});

/** Whether a ticket's coordinate is where it is: one that only stands for a street or an area is counted, not drawn. */
export const isLocated = (row: TicketRow): boolean => row.located !== false;

export function ticketFeature(id: string, row: TicketRow, now: number): Feature {
  const share = (now - row.received_at) / RESPOND_S[row.level];
  const age = Math.max(0, Math.min(AGE_STEPS, Math.round(share * AGE_STEPS)));
  const rank = RANK[row.level];
  return point(id, row.lon, row.lat, {
    icon: ticketIcon(row.level, age, row.overdue),
    rank,
    late: row.overdue ? 1 : 0,
    order: rank + (row.overdue ? 3 : 0),
  });
}

/** Crews on duty that have a position; a lost one stays where it was last seen. */
export function crewFeatures(
  crews: Map<string, Entry<CrewRow>>,
  positions: Map<string, Entry<PositionRow>>,
): Feature[] {
  const features: Feature[] = [];
  for (const [id, { row }] of crews) {
    const at = positions.get(id)?.row;
    if (at === undefined || row.state === 'off') continue;
    features.push(
      point(id, at.lon, at.lat, {
        icon: crewIcon(row.state, at.heading_deg !== null, row.position_lost),
        heading: at.heading_deg ?? 0,
        lost: row.position_lost,
      }),
    );
  }
  return features;
}

export function outageFeatures(rows: Map<string, Entry<OutageRow>>, now: number, label: (row: OutageRow) => string): Feature[] {
  return [...rows].map(([id, { row }]) =>
    point(id, row.lon, row.lat, { icon: outageIcon(row.expected_end_at < now), label: label(row) }),
  );
}

/** Alarms of one building share its place: they are set out round it, 5 m apart, in the order of their ids. */
export function roomPointFeatures(rows: Map<string, Entry<RoomRow>>, buildings: RoomGroup[]): Feature[] {
  const features: Feature[] = [];
  for (const building of buildings) {
    [...building.points].sort().forEach((id, i) => {
      const row = rows.get(id)?.row;
      if (row === undefined) return;
      const [radius, angle] = [(5 * Math.sqrt(i)) / METRES_PER_DEGREE, i * 2.39996];
      const lon = row.lon + (radius * Math.cos(angle)) / Math.cos((row.lat * Math.PI) / 180);
      features.push(point(id, lon, row.lat + radius * Math.sin(angle), {}));
    });
  }
  return features;
}

export const roomGroupFeatures = (groups: RoomGroup[]): Feature[] =>
  groups.map((group) => point(group.key, group.lon, group.lat, { n: group.points.length }));

export function arrearsFeatures(rows: Map<string, Entry<ArrearsRow>>): Feature[] {
  return [...rows].map(([id, { row }]) => ({
    type: 'Feature',
    properties: { id, band: row.band },
    geometry: {
      type: 'Polygon',
      coordinates: [
        [
          [row.west, row.south],
          [row.east, row.south],
          [row.east, row.north],
          [row.west, row.north],
          [row.west, row.south],
        ],
      ],
    },
  }));
}

function circle(lon: number, lat: number, radiusM: number): Polygon {
  const ring: [number, number][] = [];
  const dLat = radiusM / METRES_PER_DEGREE;
  const dLon = dLat / Math.cos((lat * Math.PI) / 180);
  for (let i = 0; i <= 64; i += 1) {
    const angle = (i / 64) * 2 * Math.PI;
    ring.push([lon + dLon * Math.cos(angle), lat + dLat * Math.sin(angle)]);
  }
  return { type: 'Polygon', coordinates: [ring] };
}

/** Communities with something negative said about them; a spike also gets its name. */
export function sentimentFeatures(
  rows: Map<string, Entry<SentimentRow>>,
  label: (row: SentimentRow) => string,
): { areas: Feature[]; names: Feature[] } {
  const areas: Feature[] = [];
  const names: Feature[] = [];
  for (const [id, { row }] of rows) {
    if (row.negative === 0 && !row.spike) continue;
    areas.push({
      type: 'Feature',
      properties: { id, spike: row.spike, share: row.mentions > 0 ? row.negative / row.mentions : 0 },
      geometry: circle(row.lon, row.lat, Math.max(row.radius_m, 60)),
    });
    if (row.spike) names.push(point(id, row.lon, row.lat, { label: label(row) }));
  }
  return { areas, names };
}
