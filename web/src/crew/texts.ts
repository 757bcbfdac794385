// Sentences that more than one part of the app says.
import type { Believed } from './fold';
import { isOver, wanted, wantsCrew, type Next } from './next';
import type { AppWords, CrewCodes } from './words.svelte';

/** What became of a visit that this crew is done with; null for one that goes on. */
export function overText(visit: Believed, w: AppWords): string | null {
  if (visit.over === 'no-answer') return w.overNoAnswer;
  if (visit.over === 'refuse') return w.overRefuse;
  if (visit.over === 'done') return w.overDone;
  return isOver(visit) ? w.verifying : null;
}

/** Why the crew must come back after it was done: the photos and what is wrong with each; null where it need not. */
export function comeBackText(visit: Believed, w: AppWords, c: CrewCodes): string | null {
  if (!wantsCrew(visit)) return null;
  const photos = wanted(visit).map((view) => {
    const why = view.why.map((code) => c.check[code] ?? code).join(w.comma);
    return w.photoWhy(c.slot[view.slot] ?? view.slot, why);
  });
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

/** A place for the phone's own map: WGS-84, by its address where the map shows names. */
export function mapLink(lon: number, lat: number, name: string, agent: string): string {
  const label = encodeURIComponent(name);
  if (/iPhone|iPad|Macintosh/.test(agent)) return `https://maps.apple.com/?daddr=${lat},${lon}&q=${label}`;
  return `geo:${lat},${lon}?q=${lat},${lon}(${label})`;
}
