// A refusal in the viewer's language where its code is known here, else as all screens say it.
import { ApiError } from '../../lib/api';
import type { Messages } from '../../lib/messages/zh';
import { refusal } from '../../lib/refusals';
import type { QueueWords } from '../words.svelte';

export function whyNot(error: unknown, w: QueueWords, t: Messages): string {
  const known = error instanceof ApiError ? w.refused[error.code] : undefined;
  return known ?? refusal(error, t);
}
