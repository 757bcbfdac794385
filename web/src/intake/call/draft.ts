// What a seat has typed of a call, and what is sent of it.
import type { Level } from '../../lib/wire';
import {
  CASE_ORIGIN,
  isStop,
  type Proposal,
  type ProposeBody,
  type RequestBody,
  type RequestKind,
  type Source,
  type StopBody,
  type StopKind,
  type Suggestion,
  type Wanted,
} from '../types';

export interface Draft {
  /** The caller's field as typed. */
  who: string;
  phone: string;
  name: string;
  household: string | null;
  /** A building chosen by the seat; it outranks the household of the number. */
  place: Suggestion | null;
  /** What was typed into the address field. */
  address: string;
  words: string;
  /** A person's word; null leaves it to the policy. */
  kind: RequestKind | null;
  level: Level | null;
  source: Source;
  separate: boolean;
  caseNumber: string;
  photos: { id: string; name: string }[];
  certificate: string;
  /** Days as YYYY-MM-DD. */
  stopFrom: string;
  stopUntil: string;
}

export const emptyDraft = (): Draft => ({
  who: '',
  phone: '',
  name: '',
  household: null,
  place: null,
  address: '',
  words: '',
  kind: null,
  level: null,
  source: 'phone',
  separate: false,
  caseNumber: '',
  photos: [],
  certificate: '',
  stopFrom: '',
  stopUntil: '',
});

const EMPTY = emptyDraft();

/** Nothing typed: a new call may take its place. */
export const isEmpty = (draft: Draft): boolean =>
  JSON.stringify({ ...draft, source: EMPTY.source }) === JSON.stringify(EMPTY);

/** The household that the request is about: not the caller's own once another place was chosen or typed. */
export const householdOf = (draft: Draft): string | null => {
  if (draft.place !== null) return draft.place.household ?? null;
  return draft.address.trim() === '' ? draft.household : null;
};

/** An address that stands for itself: typed, and no building chosen for it. */
export const typedAddress = (draft: Draft): string | null =>
  draft.place === null && draft.address.trim() !== '' ? draft.address.trim() : null;

/** The kind that holds: a person's word before the policy's. */
export const kindOf = (draft: Draft, proposal: Proposal | null): RequestKind | null => draft.kind ?? proposal?.kind ?? null;

/** A stop is applied for, not filed, once it is known for which household. */
export function stopOf(draft: Draft, proposal: Proposal | null): StopKind | null {
  const kind = kindOf(draft, proposal);
  return isStop(kind) && householdOf(draft) !== null ? kind : null;
}

function caller(draft: Draft): { name?: string; phone?: string } {
  return {
    ...(draft.name.trim() === '' ? {} : { name: draft.name.trim() }),
    ...(draft.phone.trim() === '' ? {} : { phone: draft.phone.trim() }),
  };
}

export function proposeBody(draft: Draft): ProposeBody {
  const household = householdOf(draft);
  return {
    words: draft.words,
    ...(draft.kind === null ? {} : { kind: draft.kind }),
    ...(household === null ? {} : { household }),
    ...(draft.place === null || household !== null ? {} : { building: draft.place.building }),
    ...(typedAddress(draft) === null ? {} : { address: typedAddress(draft)! }),
    ...(draft.phone.trim() === '' ? {} : { phone: draft.phone.trim() }),
  };
}

/** Where it is, in the order in which a seat would be believed: chosen, the household's, typed, heard in the words. */
function place(draft: Draft, proposal: Proposal | null): Pick<RequestBody, 'household' | 'building' | 'address'> {
  const household = householdOf(draft);
  if (household !== null) return { household };
  const typed = draft.address.trim() === '' ? {} : { address: draft.address.trim() };
  if (draft.place !== null) return { building: draft.place.building, ...typed };
  if ('address' in typed) return typed;
  const heard = proposal?.place;
  if (heard?.verdict !== 'matched') return {};
  if (heard.household !== null) return { household: heard.household };
  return heard.building === null ? {} : { building: heard.building.id };
}

/** What to look up to know the place, where it is not the household of the caller's number. */
export function elsewhere(draft: Draft, proposal: Proposal | null): Wanted | null {
  if (draft.place !== null) {
    return draft.place.household == null ? { building: draft.place.building } : { household: draft.place.household };
  }
  const heard = proposal?.place;
  if (householdOf(draft) !== null || heard?.verdict !== 'matched' || heard.building === null) return null;
  return heard.household === null ? { building: heard.building.id } : { household: heard.household };
}

export function requestBody(draft: Draft, proposal: Proposal | null): RequestBody {
  const said = caller(draft);
  return {
    source: draft.source,
    accepted: true,
    ...(draft.kind === null ? {} : { kind: draft.kind }),
    ...(draft.level === null ? {} : { level: draft.level }),
    ...place(draft, proposal),
    ...(Object.keys(said).length === 0 ? {} : { caller: said }),
    ...(draft.words.trim() === '' ? {} : { words: draft.words.trim() }),
    ...(draft.photos.length === 0 ? {} : { photos: draft.photos.map((photo) => photo.id) }),
    ...(draft.separate ? { separate: true } : {}),
  };
}

/** The case that the source brought, to be hung on the ticket. */
export function caseOf(draft: Draft): { origin: string; number: string } | null {
  const [origin, number] = [CASE_ORIGIN[draft.source], draft.caseNumber.trim()];
  return origin === undefined || number === '' ? null : { origin, number };
}

/** `zone`: the city's, in which days begin. */
export function stopBody(draft: Draft, action: StopKind, household: string, zone: string): StopBody {
  const certificate = draft.certificate.trim();
  return {
    action,
    household,
    applicant: { ...caller(draft), ...(certificate === '' ? {} : { certificate }) },
    source: draft.source,
    photos: draft.photos.map((photo) => photo.id),
    ...(draft.words.trim() === '' ? {} : { words: draft.words.trim() }),
    ...(action !== 'temporary_stop' || draft.stopFrom === '' ? {} : { stop_from: midnight(draft.stopFrom, zone) }),
    ...(action !== 'temporary_stop' || draft.stopUntil === '' ? {} : { stop_until: midnight(draft.stopUntil, zone) }),
  };
}

/** Unix seconds at which a day (YYYY-MM-DD) begins in a zone. */
export function midnight(day: string, zone: string): number {
  const utc = Date.parse(`${day}T00:00:00Z`);
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(utc);
  const part = (type: string): number => Number(parts.find((p) => p.type === type)!.value);
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return (utc - (local - utc)) / 1000;
}

/** The words cut at the dangers found in them, so that they can be marked where they stand. */
export function marked(words: string, dangers: Proposal['dangers']): { text: string; level: Level | null }[] {
  const pieces: { text: string; level: Level | null }[] = [];
  let from = 0;
  while (from < words.length) {
    let [at, hit]: [number, Proposal['dangers'][number] | null] = [words.length, null];
    for (const danger of dangers) {
      const found = danger.word === '' ? -1 : words.indexOf(danger.word, from);
      if (found >= 0 && (found < at || (found === at && danger.word.length > (hit?.word.length ?? 0)))) {
        [at, hit] = [found, danger];
      }
    }
    if (at > from) pieces.push({ text: words.slice(from, at), level: null });
    if (hit === null) break;
    pieces.push({ text: hit.word, level: hit.level });
    from = at + hit.word.length;
  }
  return pieces;
}
