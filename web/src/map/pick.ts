// What a click on the map meant: which marks of which layer were hit.
import type { Feature } from 'geojson';
import type { GeoJSONSource } from 'maplibre-gl';
import type { LiveClient } from '../lib/live';
import { roomsByBuilding, roomsBySubstation } from '../wall/summary';
import type { CLICKABLE } from './overlay';

export type Picked =
  | { kind: 'tickets' | 'rooms' | 'outages'; keys: string[] }
  | { kind: 'crew' | 'cell' | 'community'; key: string };

/** More than any cluster of a city holds. */
const LEAVES = 5000;

/** `hits`: features of `layer`, topmost first; null if they carry no id. */
export async function pick(
  layer: (typeof CLICKABLE)[number],
  hits: Feature[],
  tickets: GeoJSONSource | undefined,
  live: LiveClient,
): Promise<Picked | null> {
  const keys = [...new Set(hits.map((hit) => String(hit.properties?.['id'])))];
  const key = keys[0];
  if (key === undefined) return null;
  switch (layer) {
    case 'crews':
      return { kind: 'crew', key };
    case 'tickets':
      return { kind: 'tickets', keys };
    case 'ticket-clusters': {
      const cluster = hits[0]?.properties?.['cluster_id'] as number;
      const leaves = (await tickets?.getClusterLeaves(cluster, LEAVES, 0)) ?? [];
      return { kind: 'tickets', keys: leaves.map((leaf) => String(leaf.properties?.['id'])) };
    }
    case 'rooms-point':
      return { kind: 'rooms', keys };
    case 'rooms-building':
    case 'rooms-substation': {
      const group = layer === 'rooms-building' ? roomsByBuilding : roomsBySubstation;
      const points = group(live.rows('rooms')).filter((one) => keys.includes(one.key));
      return { kind: 'rooms', keys: points.flatMap((one) => one.points) };
    }
    case 'outages':
      return { kind: 'outages', keys };
    case 'sentiment':
    case 'sentiment-name':
      return { kind: 'community', key };
    case 'arrears':
      return { kind: 'cell', key };
  }
}
