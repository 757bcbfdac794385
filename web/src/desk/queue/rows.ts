// The queue's rules: which tickets a list holds, in which order, and what may change under a reader's eyes. Nothing here
// reads a clock.
import type { Entry } from '../../lib/live/topic';
import type { EvidenceRow } from '../../lib/rows';
import type { Level, TicketRow } from '../../lib/wire';

export type Rows = ReadonlyMap<string, Entry<TicketRow>>;
export type Sites = ReadonlyMap<string, Entry<EvidenceRow>>;

/** 待派, 在途, 待审, 待回访, 失联 and all of them, in the order of their number keys. */
export const LISTS = ['waiting', 'under_way', 'received', 'call_back', 'lost', 'all'] as const;
export type List = (typeof LISTS)[number];

const RANK: Record<Level, number> = { red: 0, yellow: 1, blue: 2 };
const UNDER_WAY: readonly string[] = ['dispatched', 'confirmed', 'handling'];

export function belongs(row: TicketRow, list: List): boolean {
  switch (list) {
    case 'waiting':
      return row.state === 'accepted';
    case 'under_way':
      return UNDER_WAY.includes(row.state);
    case 'received':
      return row.state === 'received';
    case 'call_back':
      return row.state === 'verifying';
    case 'lost':
      return row.lost_contact;
    case 'all':
      return true;
  }
}

/** By level, then least time first, then by id: the same rows always stand in the same order. */
export function before(a: [string, TicketRow], b: [string, TicketRow]): number {
  return (
    RANK[a[1].level] - RANK[b[1].level] ||
    (a[1].due_at ?? Infinity) - (b[1].due_at ?? Infinity) ||
    (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)
  );
}

/** Every word must stand in the ticket's number, address, crew or kind (as it is read). */
export function matches(id: string, row: TicketRow, words: readonly string[], kind: (code: string) => string): boolean {
  if (words.length === 0) return true;
  const text = [id, row.address, row.district ?? '', row.crew_name ?? '', kind(row.kind)].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Where, without the district that stands beside it: what tells two tickets of one city apart comes first. */
export const place = (row: { address: string; district: string | null }): string =>
  row.district !== null && row.address.startsWith(row.district) && row.address.length > row.district.length
    ? row.address.slice(row.district.length).trim()
    : row.address;

export const searchWords = (typed: string): string[] => typed.toLowerCase().split(/\s+/).filter((word) => word !== '');

/** The ids of a list, in order. */
export function listed(rows: Rows, list: List, wanted: (id: string, row: TicketRow) => boolean): string[] {
  const found: [string, TicketRow][] = [];
  for (const [id, { row }] of rows) if (belongs(row, list) && wanted(id, row)) found.push([id, row]);
  return found.sort(before).map(([id]) => id);
}

/** Whose crew asks for something, or where nobody opened so often that the desk has to reach the resident; the longest
 *  waiting first. */
export function asking(rows: Rows, sites: Sites): [string, TicketRow][] {
  const found: [number, string, TicketRow][] = [];
  for (const [id, { row: site }] of sites) {
    const row = rows.get(id)?.row;
    if (row !== undefined && (site.asks != null || site.to_desk === true)) found.push([site.asks_since ?? row.received_at, id, row]);
  }
  return found.sort((a, b) => a[0] - b[0] || before([a[1], a[2]], [b[1], b[2]])).map(([, id, row]) => [id, row]);
}

export type Counts = Record<List, number>;

export function counted(rows: Rows): Counts {
  const counts: Counts = { waiting: 0, under_way: 0, received: 0, call_back: 0, lost: 0, all: rows.size };
  for (const { row } of rows.values()) {
    for (const list of LISTS) if (list !== 'all' && belongs(row, list)) counts[list] += 1;
  }
  return counts;
}

export interface Shown {
  ids: readonly string[];
  /** Shown, and no longer of this list. */
  gone: ReadonlySet<string>;
  /** Of this list, and not shown yet. */
  fresh: number;
}

export const NOTHING: Shown = { ids: [], gone: new Set(), fresh: 0 };

/**
 * What stays in sight when rows change: every row keeps its place; a new red one, or one that became red, is put in
 * its place at once; other new ones wait and are counted. An empty list takes what comes.
 */
export function settle(shown: Shown, wanted: readonly string[], rows: Rows): Shown {
  const want = new Set(wanted);
  if (!shown.ids.some((id) => want.has(id))) return { ids: wanted, gone: new Set(), fresh: 0 };
  const have = new Set(shown.ids);
  const isRed = (id: string): boolean => rows.get(id)?.row.level === 'red';
  const late = wanted.filter((id) => isRed(id) && !have.has(id));
  const ids = [...shown.ids];
  // Where a row that was shown became red, it moves up as well: that is what must be seen.
  const risen = ids.filter((id, i) => want.has(id) && isRed(id) && ids.slice(0, i).some((above) => want.has(above) && !isRed(above)));
  for (const id of risen) ids.splice(ids.indexOf(id), 1);
  for (const id of [...late, ...risen]) {
    const row = rows.get(id)!.row;
    const at = ids.findIndex((other) => {
      const found = rows.get(other)?.row;
      return found !== undefined && want.has(other) && before([id, row], [other, found]) < 0;
    });
    ids.splice(at === -1 ? ids.length : at, 0, id);
  }
  const gone = new Set(ids.filter((id) => !want.has(id)));
  return { ids, gone, fresh: wanted.filter((id) => !isRed(id) && !have.has(id)).length };
}

/** Where the selection goes from a row that leaves: the next one that is still of the list, else the one before. */
export function neighbour(shown: Shown, from: string): string | null {
  const at = shown.ids.indexOf(from);
  const here = (id: string): boolean => !shown.gone.has(id) && id !== from;
  return shown.ids.slice(at + 1).find(here) ?? shown.ids.slice(0, Math.max(0, at)).reverse().find(here) ?? null;
}
