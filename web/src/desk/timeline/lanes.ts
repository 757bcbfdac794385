// The crews' day as lanes of bars: pure, told everything, the same rows always drawn the same way.
import { byName } from '../names';
import type { Choice, CrewDayRow, CrewRow, Level, PlannedVisit, Span } from '../../lib/wire';

export interface Bar {
  key: string;
  ticket: string;
  /** How many tickets the visit stands for. */
  n: number;
  from: number;
  until: number;
  level: Level;
  address: string;
  state: PlannedVisit['state'] | 'ghost';
  frozen: boolean;
  pinned: boolean;
  late_s: number;
  withCrew: string | null;
  /** A proposal for the selected ticket: from 1. */
  rank: number | null;
}

export interface Lane {
  crew: string;
  name: string;
  row: CrewRow;
  rank: number | null;
  bars: Bar[];
  travel: Span[];
  breaks: Span[];
}

export interface Selected {
  ticket: string;
  level: Level;
  address: string;
  choices: readonly Choice[];
}

/** The proposed ones of the selected ticket, then crews on duty by name, then those who are off with a visit ahead. */
export function laneOrder(
  crews: Iterable<[string, { row: CrewRow }]>,
  days: ReadonlyMap<string, { row: CrewDayRow }>,
  choices: readonly Choice[],
): string[] {
  const rank = new Map<string, number>();
  choices.forEach((choice, i) => {
    // The best choice's second crew may be a later choice itself: it stands with the best.
    if (!rank.has(choice.crew)) rank.set(choice.crew, i);
    if (choice.with_crew && !rank.has(choice.with_crew)) rank.set(choice.with_crew, i + 0.5);
  });
  const found = [...crews].filter(([id, { row }]) => row.state !== 'off' || rank.has(id) || (days.get(id)?.row.visits.length ?? 0) > 0);
  const order = (id: string, row: CrewRow): number => rank.get(id) ?? (row.state === 'off' ? 2e6 : 1e6);
  return found
    .sort(([a, x], [b, y]) => order(a, x.row) - order(b, y.row) || byName(x.row.name, y.row.name) || (a < b ? -1 : 1))
    .map(([id]) => id);
}

export function lane(
  crew: string,
  row: CrewRow,
  day: CrewDayRow | undefined,
  selected: Selected | null,
  pinned: (ticket: string) => boolean,
  place: (ticket: string) => string | null,
): Lane {
  const bars: Bar[] = [];
  const travel: Span[] = [];
  const at = selected === null ? -1 : selected.choices.findIndex((choice) => choice.crew === crew || choice.with_crew === crew);
  const choice = at === -1 ? null : selected!.choices[at]!;
  for (const visit of day?.visits ?? []) {
    const first = visit.tickets[0] ?? '';
    // The ghost says the same, and more: the plan's own guess steps back.
    if (choice !== null && visit.state === 'planned' && visit.tickets.includes(selected!.ticket)) continue;
    bars.push({
      key: `v ${visit.tickets.join(' ')}`,
      ticket: first,
      n: visit.tickets.length,
      from: visit.start_at,
      until: Math.max(visit.end_at, visit.start_at + 60),
      level: visit.level,
      address: place(first) ?? visit.address,
      state: visit.state,
      frozen: visit.frozen,
      pinned: visit.tickets.some(pinned),
      late_s: visit.late_s,
      withCrew: visit.with_crew ?? null,
      rank: null,
    });
    if (visit.leave_at < visit.start_at) travel.push({ from_at: visit.leave_at, until_at: visit.start_at });
  }
  if (choice !== null && selected !== null) {
    bars.push({
      key: `g ${selected.ticket}`,
      ticket: selected.ticket,
      n: 1,
      from: choice.start_at,
      until: choice.end_at,
      level: selected.level,
      address: selected.address,
      state: 'ghost',
      frozen: false,
      pinned: false,
      late_s: 0,
      withCrew: choice.with_crew === undefined || choice.with_crew === null ? null : choice.crew === crew ? choice.with_crew : choice.crew,
      rank: at + 1,
    });
  }
  bars.sort((a, b) => a.from - b.from || (a.key < b.key ? -1 : 1));
  return { crew, name: row.name, row, rank: at === -1 ? null : at + 1, bars, travel, breaks: day?.breaks ?? [] };
}

/** Whole hours, or finer where there is room, within a stretch of time. */
export function ticks(from: number, span: number, offset: number): number[] {
  const step = span <= 4 * 3600 ? 1800 : span <= 10 * 3600 ? 3600 : 7200;
  const found: number[] = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at < from + span; at += step) found.push(at);
  return found;
}
