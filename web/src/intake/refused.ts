// What a refusal that was kept says: in the viewer's language where the code is known, else in the server's own words.
import { ApiError } from '../lib/api';
import type { Messages } from '../lib/messages/zh';
import { refusal } from '../lib/refusals';
import type { Refusal } from './outbox.svelte';

export function entryRefusal(kept: Refusal, t: Messages): string {
  if (kept.code === 'not_signed_in') return t.signedOut;
  return refusal(new ApiError(kept.code === 'unreachable' ? 0 : 400, kept.code, kept.detail, kept.whatToDo), t);
}
