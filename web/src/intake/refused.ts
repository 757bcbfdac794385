// What a refusal says: in the viewer's language where its code is known to intake, else as all screens say it.
import { ApiError } from '../lib/api';
import type { Messages } from '../lib/messages/zh';
import { refusal } from '../lib/refusals';
import type { CodeWords } from './messages/codes.zh';
import type { Refusal } from './outbox.svelte';

export function refusedText(error: unknown, c: CodeWords, t: Messages): string {
  return (error instanceof ApiError ? c.refused[error.code] : undefined) ?? refusal(error, t);
}

/** The same of one that was kept. */
export function keptText(kept: Refusal, c: CodeWords, t: Messages): string {
  if (kept.code === 'not_signed_in') return t.signedOut;
  return refusedText(new ApiError(kept.code === 'unreachable' ? 0 : 400, kept.code, kept.detail, kept.whatToDo), c, t);
}
