// Which evidence waits for a person, in which order, and what a filter shows of it.
import type { EvidenceRow } from '../../lib/rows';
import type { Level } from '../../lib/wire';

export interface Waits {
  ticket: string;
  row: EvidenceRow;
}

export const FILTERS = ['all', 'block', 'review', 'unjudged'] as const;
export type Filter = (typeof FILTERS)[number];

const RANK: Record<Level, number> = { red: 0, yellow: 1, blue: 2 };

/** Red tickets first, then who has waited longest. */
export function waiting(rows: Iterable<readonly [string, { readonly row: EvidenceRow }]>): Waits[] {
  const found: Waits[] = [];
  for (const [ticket, { row }] of rows) if (row.needs_person !== null) found.push({ ticket, row });
  const since = (one: Waits): number => one.row.since ?? Infinity;
  return found.sort((a, b) => RANK[a.row.level] - RANK[b.row.level] || since(a) - since(b) || (a.ticket < b.ticket ? -1 : 1));
}

export const passes = ({ row }: Waits, filter: Filter): boolean =>
  filter === 'all' || (filter === 'unjudged' ? row.unjudged : row.needs_person === filter);

/** The ticket after this one in the list, else the first; null where no other waits. */
export function nextOf(shown: readonly Waits[], ticket: string | null): string | null {
  const others = shown.filter((one) => one.ticket !== ticket);
  const at = shown.findIndex((one) => one.ticket === ticket);
  return (shown[at + 1] ?? others[0])?.ticket ?? null;
}
