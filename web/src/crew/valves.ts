// What is said of a valve that was turned. Pure.

export interface Valve {
  id: string;
  name: string;
  /** On no record: the crew gave it its name. */
  own?: boolean;
}

export type Turn = { to: 'closed'; expected_end_at: number } | { to: 'open'; vented: boolean };

/** How long a shut valve may be said to stay so. */
export const OUTAGE_HOURS = [2, 4, 8, 24] as const;
const QUARTER_S = 900;

/** When the homes behind it may expect heat again: Unix seconds, on a quarter of an hour, never sooner than said. */
export const expectedEnd = (hours: number, now: number): number => Math.ceil((now + hours * 3600) / QUARTER_S) * QUARTER_S;

export const turnBody = (valve: Valve, turn: Turn): Record<string, unknown> => ({
  valve: valve.id,
  ...turn,
  ...(valve.own === true ? { name: valve.name } : {}),
});
