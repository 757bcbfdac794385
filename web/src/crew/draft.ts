// A photo that was taken and not yet used: it outlives a tab that is killed.
import * as db from './db';
import type { Fix, Slot } from './types';

const NAME = 'draft';

export interface Draft {
  /** The key of the op that it becomes. */
  key: string;
  ticket: string;
  slot: Slot;
  bytes: ArrayBuffer;
  media_type: string;
  source: 'camera' | 'gallery';
  /** As the shutter was pressed: the time, and where the phone was. */
  captured_at_ms: number;
  fix: Fix | null;
}

export const keepDraft = (draft: Draft): Promise<unknown> => db.keep(NAME, draft);

export const readDraft = async (): Promise<Draft | null> => (await db.kept<Draft | null>(NAME)) ?? null;

/** It was used, or is not wanted; another one taken since stays. */
export async function dropDraft(key: string): Promise<void> {
  if ((await readDraft())?.key === key) await db.keep(NAME, null);
}
