// The one next thing to do at a visit, and why it cannot be done yet. Pure.
import type { Believed } from './fold';
import type { Slot, SlotView } from './types';

export type Act = 'accept' | 'en-route' | 'check-in' | 'photo' | 'parts' | 'done' | 'over';

/** `slot`: the photo to take. `missing`, `shut`, `unvented`: what stands between here and done. */
export interface Next {
  act: Act;
  can: boolean;
  slot: Slot | null;
  missing: Slot[];
  shut: string[];
  unvented: string[];
  /** Photos that were refused: said beside the button, and taken anew from their tiles or when the crew comes back. */
  blocked: Slot[];
  /** Another visit that must be left first. */
  elsewhere: string | null;
}

const MISSING: ReadonlySet<string> = new Set(['owed', 'again']);

/** The photos for which the crew is still needed: not taken, wanted again or refused. */
export const wanted = (visit: Believed): SlotView[] =>
  visit.photos_waived ? [] : visit.slots.filter((view) => MISSING.has(view.state) || view.state === 'block');

/** The work was said to be done, and yet the crew must come: for a photo, or for a check-in that counts. */
export const wantsCrew = (visit: Believed): boolean =>
  visit.over === null && visit.state === 'verifying' && (wanted(visit).length > 0 || (visit.verdict === 'missing' && !visit.onSite));

/** Whether this crew has nothing more to do there, as far as it is known. */
export const isOver = (visit: Believed): boolean =>
  visit.over !== null || (visit.state === 'verifying' && !visit.onSite && !wantsCrew(visit));

/** `elsewhere`: the address of another visit at which the crew is checked in, if it is. */
export function nextOf(visit: Believed, elsewhere: string | null = null): Next {
  const photos = wanted(visit);
  const slots = (blocked: boolean): Slot[] => photos.filter((view) => (view.state === 'block') === blocked).map((view) => view.slot);
  const named = (state: string): string[] => visit.valves.filter((v) => v.state === state).map((v) => v.name);
  const next: Next = {
    act: 'done',
    can: true,
    slot: slots(false)[0] ?? slots(true)[0] ?? null,
    missing: slots(false),
    shut: named('closed'),
    unvented: named('unvented'),
    blocked: slots(true),
    elsewhere: null,
  };
  if (isOver(visit)) return { ...next, act: 'over', can: false };
  if (visit.onSite) {
    // A refused photo does not keep a crew on site: the desk may let it pass. Whoever came back came for it.
    const led = visit.state === 'verifying' ? photos.length : next.missing.length;
    if (led > 0) return { ...next, act: 'photo' };
    // Whoever comes back for a photo has reported the parts before.
    const parts = visit.state !== 'verifying' && Object.keys(visit.parts).length > 0;
    if (parts && !visit.partsSaid) return { ...next, act: 'parts' };
    return { ...next, can: next.shut.length === 0 && next.unvented.length === 0 };
  }
  if (visit.state === 'dispatched') return { ...next, act: 'accept' };
  if (visit.state === 'confirmed' && !visit.enRoute) return { ...next, act: 'en-route' };
  return { ...next, act: 'check-in', can: elsewhere === null, elsewhere };
}
