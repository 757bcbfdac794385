// Why a crew, and what another one costs, in plain words; from codes and figures alone, so that both languages can say it.
import { count, decimal, duration, hm, moment } from '../../lib/format';
import { word } from '../../lib/i18n.svelte';
import type { Messages } from '../../lib/messages/zh';
import type { Choice, Displacement } from '../../lib/wire';
import type { DispatchCodes, PanelWords } from '../words.svelte';

export interface Said {
  t: Messages;
  w: PanelWords;
  c: DispatchCodes;
  now: number;
  zone: string;
}

export interface Fact {
  id: string;
  name: string;
  value: string;
  /** Speaks for the crew (true), against it (false), or neither. */
  good: boolean | null;
}

export const distance = (metres: number): string =>
  metres < 950 ? `${count(Math.round(metres / 10) * 10)} m` : `${decimal(metres / 1000)} km`;

const number = (value: number | string | undefined): number | null => (typeof value === 'number' ? value : null);

/** When it would be there if it were sent now: what was proposed a while ago does not come nearer by waiting. */
export const arrival = (choice: Choice, now: number): number => Math.max(choice.arrive_at, now + (number(choice.facts['drive_s']) ?? 0));

/** What stands behind a choice, the same for every crew so that they can be compared; then what else is known. */
export function facts(choice: Choice, { t, w, now, zone }: Said): Fact[] {
  const f = choice.facts;
  const of = (name: string): number | null => number(f[name]);
  const [visits, inHand, needed, over] = [of('visits_here'), of('in_hand'), of('pieces_needed'), of('skill_over')];
  const [onVan, cold, drive, age, store] = [of('pieces_on_van'), of('degree_hours_m'), of('drive_s'), of('position_age_s'), f['store']];
  const late = choice.newly_late.length;
  const found: Fact[] = [];
  const add = (id: string, name: string, value: string, good: boolean | null = null): void => void found.push({ id, name, value, good });
  add('arrival', w.arrival, hm(arrival(choice, now), zone));
  add('distance', w.distance, drive === null ? distance(choice.distance_m) : `${distance(choice.distance_m)}${t.dot}${duration(drive, t)}`);
  add('late', w.newlyLate, w.tickets(count(late)), late === 0 ? null : false);
  if (needed === null) add('parts', w.partsOnVan, w.partsNone);
  else if (onVan === null) add('parts', w.partsOnVan, w.partsUnknown);
  else add('parts', w.partsOnVan, w.pieces(count(onVan), count(needed)), onVan >= needed);
  if (visits !== null) add('visits', w.knowsBuilding, visits === 0 ? w.neverHere : w.timesHere(count(visits)), visits > 0 ? true : null);
  if (inHand !== null) add('in_hand', w.inHand, inHand === 0 ? w.nothingInHand : w.tickets(count(inHand)), inHand === 0 ? true : null);
  if (cold !== null && cold > 0) add('impact', w.impact, w.coldPerHour(decimal(cold / 1000)));
  if (over !== null && over > 0) add('skill', w.skillMargin, w.skillSteps(count(over)));
  if (typeof store === 'string') add('store', w.viaStore, store);
  if (age !== null) add('position', w.positionAge, t.ago(duration(age, t)), false);
  return found;
}

/** What becomes of a ticket that must give way, or would be late. */
export function moved(one: Displacement, said: Said, crewName: (id: string) => string): string {
  const { t, w, now, zone } = said;
  const place = w.ofLevel(one.address, t.level[one.level]);
  if (one.crew === null || one.start_at === null) return w.waitsUnplanned(place);
  const then = w.movesTo(place, moment(one.start_at, now, zone, t), crewName(one.crew));
  return `${then}${w.comma}${one.late_s > 0 ? w.lateThen(duration(one.late_s, t)) : w.inTimeThen}`;
}

/** What a choice costs beside the best: the first words of every override. */
export function priceLine(choice: Choice, best: Choice | null, { t, w, now }: Said): string {
  const parts: string[] = [];
  if (best !== null) {
    const later = arrival(choice, now) - arrival(best, now);
    if (later >= 60) parts.push(w.laterBy(duration(later, t)));
    else if (later <= -60) parts.push(w.earlierBy(duration(-later, t)));
    else parts.push(w.asSoon);
  }
  if (choice.displaced.length > 0) parts.push(w.giveWay(count(choice.displaced.length)));
  parts.push(choice.newly_late.length > 0 ? w.breach(count(choice.newly_late.length)) : w.noBreach);
  return parts.join(w.comma);
}

/** The rules that left crews out, the one that left out most first. */
export const leftOut = (rules: Record<string, number>, c: DispatchCodes): { rule: string; name: string; n: number }[] =>
  Object.entries(rules)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([rule, n]) => ({ rule, name: word(c.rule, rule), n }));
