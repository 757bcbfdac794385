// The one next thing to do at a visit, and why it cannot be done yet. Pure.
import type { Believed } from './fold';
import type { Slot } from './types';

export type Act = 'accept' | 'en-route' | 'check-in' | 'photo' | 'parts' | 'done' | 'over';

/** `slot`: the photo to take. `missing`, `shut`, `unvented`: what stands between here and done. */
export interface Next {
  act: Act;
  can: boolean;
  slot: Slot | null;
  missing: Slot[];
  shut: string[];
  unvented: string[];
  /** Photos that were refused: they do not hold up done, but the ticket will not close on them. */
  blocked: Slot[];
  /** Another visit that must be left first. */
  elsewhere: string | null;
}

const WANTS: ReadonlySet<string> = new Set(['owed', 'again']);

/** `elsewhere`: the address of another visit at which the crew is checked in, if it is. */
export function nextOf(visit: Believed, elsewhere: string | null = null): Next {
  const missing = visit.photos_waived ? [] : visit.slots.filter((view) => WANTS.has(view.state)).map((view) => view.slot);
  const named = (state: string): string[] => visit.valves.filter((v) => v.state === state).map((v) => v.name);
  const next: Next = {
    act: 'done',
    can: true,
    slot: missing[0] ?? null,
    missing,
    shut: named('closed'),
    unvented: named('unvented'),
    blocked: visit.slots.filter((view) => view.state === 'block').map((view) => view.slot),
    elsewhere: null,
  };
  if (visit.over !== null) return { ...next, act: 'over', can: false };
  if (visit.onSite) {
    if (missing.length > 0) return { ...next, act: 'photo' };
    if (Object.keys(visit.parts).length > 0 && !visit.partsSaid) return { ...next, act: 'parts' };
    return { ...next, can: next.shut.length === 0 && next.unvented.length === 0 };
  }
  if (visit.state === 'dispatched') return { ...next, act: 'accept' };
  if (visit.state === 'confirmed' && !visit.enRoute) return { ...next, act: 'en-route' };
  // Photos are wanted again, or no check-in counts: a person refused it.
  const wanted = missing.length > 0 || visit.verdict === 'missing';
  if (visit.state === 'verifying' && !wanted) return { ...next, act: 'over', can: false };
  return { ...next, act: 'check-in', can: elsewhere === null, elsewhere };
}
