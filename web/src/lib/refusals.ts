// Why something could not be had, in the viewer's language where the code is known, else in the server's words.
import { ApiError, SignedOut } from './api';
import type { Messages } from './messages/zh';

export function refusal(error: unknown, t: Messages): string {
  if (error instanceof SignedOut) return t.signedOut;
  if (!(error instanceof ApiError) || error.code === 'unreachable') return t.unreachable;
  const words: Record<string, string> = t.refusal;
  return words[error.code] ?? (`${error.message} ${error.whatToDo}`.trim() || t.cannotRead);
}
