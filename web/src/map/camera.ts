// Where the camera may stand: the whole picture, its districts, and the incidents; and the round it makes of them.
import type { City } from '../lib/api';
import type { LiveClient } from '../lib/live';

export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

export interface Stop {
  /** District or place; null for the whole picture; a number for an area without a name. */
  name: string | number | null;
  bounds: Bounds;
}

interface Point {
  lon: number;
  lat: number;
}

/** Fewer points than this say nothing about where the work is. */
const ENOUGH = 12;
const AREAS = 4;
const INCIDENT_REACH_DEG = 0.006;

/** The box round the points without the outermost 2 % on each side: one stray coordinate moves nothing. */
export function boundsOf(points: readonly Point[], trim = 0.02): Bounds | null {
  if (points.length === 0) return null;
  const lons = points.map((p) => p.lon).sort((a, b) => a - b);
  const lats = points.map((p) => p.lat).sort((a, b) => a - b);
  const cut = points.length < ENOUGH ? 0 : Math.floor(points.length * trim);
  const [low, high] = [cut, points.length - 1 - cut];
  return { west: lons[low]!, east: lons[high]!, south: lats[low]!, north: lats[high]! };
}

export function around(point: Point, reach = INCIDENT_REACH_DEG): Bounds {
  const wide = reach / Math.cos((point.lat * Math.PI) / 180);
  return { west: point.lon - wide, east: point.lon + wide, south: point.lat - reach, north: point.lat + reach };
}

/** Where work is or may be, as points; plants far outside the town stay out. */
function points(live: LiveClient): Point[] {
  const all: Point[] = [];
  for (const topic of ['tickets', 'sentiment', 'outages'] as const) {
    for (const { row } of live.rows(topic).values()) if (!('located' in row) || row.located !== false) all.push(row);
  }
  for (const { row } of live.rows('arrears').values()) {
    all.push({ lon: (row.west + row.east) / 2, lat: (row.south + row.north) / 2 });
  }
  return all;
}

/** The whole picture: where the data is within the city, else the city; without one, where the data is. */
export function overview(live: LiveClient, city: City | null): Bounds | null {
  const all = points(live);
  if (city === null) return boundsOf(all);
  const inside = all.filter((p) => p.lon >= city.west && p.lon <= city.east && p.lat >= city.south && p.lat <= city.north);
  return inside.length >= ENOUGH ? boundsOf(inside, 0) : city;
}

/** Points gathered round `AREAS` centres (Lloyd's rounds from centres spread along the longitude). */
export function areas(all: readonly Point[]): Point[][] {
  const sorted = [...all].sort((a, b) => a.lon - b.lon || a.lat - b.lat);
  let centres = Array.from({ length: AREAS }, (_, i) => sorted[Math.floor(((i + 0.5) * sorted.length) / AREAS)]!);
  let groups: Point[][] = [];
  for (let round = 0; round < 8; round += 1) {
    groups = centres.map(() => []);
    for (const point of sorted) {
      let best = 0;
      for (let i = 1; i < centres.length; i += 1) {
        const [a, b] = [centres[i]!, centres[best]!];
        if (Math.hypot(point.lon - a.lon, point.lat - a.lat) < Math.hypot(point.lon - b.lon, point.lat - b.lat)) best = i;
      }
      groups[best]!.push(point);
    }
    centres = groups.map((group, i) =>
      group.length === 0
        ? centres[i]!
        : {
            lon: group.reduce((sum, p) => sum + p.lon, 0) / group.length,
            lat: group.reduce((sum, p) => sum + p.lat, 0) / group.length,
          },
    );
  }
  return groups.filter((group) => group.length >= ENOUGH);
}

/** One round of the rotation: the whole, each district (or area), then the incidents that stand. */
export function stops(live: LiveClient, city: City | null): Stop[] {
  const round: Stop[] = [];
  const whole = overview(live, city);
  if (whole !== null) round.push({ name: null, bounds: whole });
  const districts = new Map<string, Point[]>();
  const nameless: Point[] = [];
  for (const { row } of live.rows('tickets').values()) {
    if (row.located === false) continue;
    const group = row.district === null ? nameless : districts.get(row.district);
    if (group !== undefined) group.push(row);
    else if (row.district !== null) districts.set(row.district, [row]);
  }
  for (const [name, group] of [...districts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bounds = group.length >= ENOUGH ? boundsOf(group, 0.1) : null;
    if (bounds !== null) round.push({ name, bounds });
  }
  if (districts.size === 0 && nameless.length >= ENOUGH * AREAS) {
    areas(nameless).forEach((group, i) => round.push({ name: i + 1, bounds: boundsOf(group, 0.1)! }));
  }
  for (const { row } of live.rows('outages').values()) round.push({ name: row.name, bounds: around(row) });
  for (const { row } of live.rows('sentiment').values()) {
    if (row.spike) round.push({ name: row.name, bounds: around(row) });
  }
  return round;
}
