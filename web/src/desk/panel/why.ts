// A refusal in the viewer's language where its code is known to the desk, else as all screens say it.
import { ApiError } from '../../lib/api';
import type { Messages } from '../../lib/messages/zh';
import { refusal } from '../../lib/refusals';
import type { DispatchCodes } from '../words.svelte';

export function whyNot(error: unknown, c: DispatchCodes, t: Messages): string {
  if (!(error instanceof ApiError)) return refusal(error, t);
  const known = c.refused[error.code];
  // What failed stands in the server's words behind ours: which value, which ticket.
  if (known !== undefined && ['bad_gas', 'locks_overlap', 'not_in_store', 'impossible_work', 'bad_request'].includes(error.code)) {
    return `${known} ${error.message}`;
  }
  return known ?? refusal(error, t);
}
