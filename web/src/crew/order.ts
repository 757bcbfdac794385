// Which of the waiting ops may be sent now. Pure.
import type { Op } from './types';

const MOST_MS = 300_000;

/** Wait after the n-th try without an answer, ms; `chance` in [0, 1) keeps phones apart. */
export const pause = (tries: number, chance: number): number =>
  Math.min(MOST_MS, 2000 * 2 ** Math.min(tries, 10)) * (0.75 + chance / 2);

/** The first unanswered op of each ticket whose time has come, oldest first: within a ticket what was said later waits,
 *  other tickets go on. What was refused is answered, and holds up nothing. */
export function sendable(ops: readonly Op[], crew: string, now: number): Op[] {
  const held = new Set<string>();
  const found: Op[] = [];
  for (const op of [...ops].sort((a, b) => a.id - b.id)) {
    if (op.crew !== crew || op.state === 'done' || op.state === 'refused') continue;
    if (!held.has(op.ticket) && op.next_at <= now) found.push(op);
    held.add(op.ticket);
  }
  return found;
}

/** Fixes to let go of: too old first, then every other one of the older half until `most` remain. */
export function thinned(fixes: readonly { id: number; at_ms: number }[], now: number, most: number, days: number): number[] {
  const old = fixes.filter((fix) => fix.at_ms < now - days * 86_400_000);
  let rest = fixes.filter((fix) => fix.at_ms >= now - days * 86_400_000);
  const gone = old.map((fix) => fix.id);
  while (rest.length > most) {
    const half = Math.floor(rest.length / 2);
    const drop = rest.slice(0, half).filter((_, n) => n % 2 === 1).slice(0, rest.length - most);
    if (drop.length === 0) drop.push(...rest.slice(0, rest.length - most));
    const ids = new Set(drop.map((fix) => fix.id));
    gone.push(...ids);
    rest = rest.filter((fix) => !ids.has(fix.id));
  }
  return gone;
}
