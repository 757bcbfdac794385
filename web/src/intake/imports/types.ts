// What the calls about imports answer; times are Unix seconds.
export const KINDS = ['households', 'heat_tree', 'accounts', 'points', 'crews', 'stores', 'tickets'] as const;
export type Kind = (typeof KINDS)[number];
export const KEYS: Record<Kind, string> = { households: 'H', heat_tree: 'T', accounts: 'A', points: 'P', crews: 'C', stores: 'S', tickets: 'K' };

export interface Reject {
  row: number;
  code: string;
  detail: string;
  what_to_do: string;
}

export interface Imported {
  run: string;
  kind: Kind;
  file_name: string;
  dry: boolean;
  rows: number;
  added: number;
  changed: number;
  unchanged: number;
  refused: number;
  notes: Record<string, number>;
  /** The first rows that were taken in and are worth a look. */
  warnings: Reject[];
  ignored_columns: string[];
  /** field -> column, or `=value` for every row */
  mapping: Record<string, string>;
  rejects: Reject[];
  rejects_url: string | null;
}

export interface Run {
  run: string;
  kind: string;
  file_name: string;
  dry: boolean;
  started_at: number;
  ended_at: number | null;
  by: string;
  rows: number;
  added: number;
  changed: number;
  unchanged: number;
  refused: number;
  rejects_url: string | null;
}

export interface Mappings {
  items: { kind: string; name: string; mapping: Record<string, string>; saved_by: string; saved_at: number }[];
  fields: string[];
}
