// Sentences that more than one part of the app says.
import type { Believed } from './fold';
import { isOver, wanted, wantsCrew, type Next } from './next';
import type { Op } from './types';
import type { AppWords, CrewCodes } from './words.svelte';

/** What became of a visit that this crew is done with; null for one that goes on. */
export function overText(visit: Believed, w: AppWords): string | null {
  if (visit.over === 'no-answer') return w.overNoAnswer;
  if (visit.over === 'refuse') return w.overRefuse;
  if (visit.over === 'done') return w.overDone;
  return isOver(visit) ? w.verifying : null;
}

/** Why the crew must come back after it was done: the photos and the first thing that is wrong with them, as the rest stands
 *  below; null where it need not. */
export function comeBackText(visit: Believed, w: AppWords, c: CrewCodes): string | null {
  if (!wantsCrew(visit)) return null;
  const named = new Map<string, string[]>();
  for (const { slot, why } of wanted(visit)) {
    const first = why[0] === undefined ? '' : (c.check[why[0]] ?? why[0]);
    named.set(first, [...(named.get(first) ?? []), c.slot[slot] ?? slot]);
  }
  const photos = [...named].map(([why, slots]) => w.photoWhy(slots.join(w.comma), why));
  return photos.length > 0 ? w.comeBackFor(photos.join(w.comma)) : w.comeBackCheckIn;
}

/** The building, and the door in it. */
export const door = (visit: Believed, w: AppWords): string =>
  visit.flat === null ? visit.address : w.door(visit.address, visit.flat.unit, visit.flat.flat);

/** What still stands between here and done, in words. */
export function stands(next: Next, w: AppWords, c: CrewCodes): string[] {
  const said: string[] = [];
  const names = next.missing.map((slot) => c.slot[slot] ?? slot).join(w.comma);
  if (next.missing.length > 0) said.push(w.missing(next.missing.length, names));
  if (next.shut.length > 0) said.push(w.shut(next.shut.join(w.comma)));
  if (next.unvented.length > 0) said.push(w.unvented(next.unvented.join(w.comma)));
  if (next.blocked.length > 0) said.push(w.again(next.blocked.map((slot) => c.slot[slot] ?? slot).join(w.comma)));
  return said;
}

/** The day as heard longer ago than this may have changed since. */
const STALE_MS = 600_000;

export const stale = (askedAt: number, now: number): boolean => now - askedAt > STALE_MS;

/** Why what was said still waits on the phone; empty where nothing does, or it is on its way. `ops`: of one ticket. */
export function waitsFor(ops: readonly Op[], reached: boolean, locked: boolean, w: AppWords): string {
  const first = ops.find((op) => op.state === 'queued' || op.state === 'sending');
  if (first === undefined) return '';
  const status = first.refusal?.status ?? null;
  if (locked || status === 401) return w.waitsSignIn;
  if (!reached || status === 0) return w.waitsSignal;
  return status === null ? '' : w.waitsServer;
}

/** A place for the phone's own map: WGS-84, by its address where the map shows names. */
export function mapLink(lon: number, lat: number, name: string, agent: string): string {
  const label = encodeURIComponent(name);
  if (/iPhone|iPad|Macintosh/.test(agent)) return `https://maps.apple.com/?daddr=${lat},${lon}&q=${label}`;
  return `geo:${lat},${lon}?q=${lat},${lon}(${label})`;
}

/** The same place for a map that draws China shifted: told that these degrees are WGS-84, it shifts them itself. */
export const amapLink = (lon: number, lat: number, name: string): string =>
  `https://uri.amap.com/navigation?to=${lon},${lat},${encodeURIComponent(name)}&mode=car&coordinate=wgs84&callnative=1&src=heatops`;

export function baiduLink(lon: number, lat: number, name: string): string {
  const label = encodeURIComponent(name);
  return `https://api.map.baidu.com/marker?location=${lat},${lon}&title=${label}&content=${label}&coord_type=wgs84&output=html&src=heatops`;
}
