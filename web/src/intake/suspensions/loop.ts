// The five steps of the suspension loop as they stand for one application.
import type { Stop } from './types';

export type StepName = 'applied' | 'answered' | 'visited' | 'known' | 'closed';
/** done; late: past its time; waits: the present one; later: not reached; over: it ends before. */
export type StepState = 'done' | 'late' | 'waits' | 'later' | 'over';

export interface Step {
  name: StepName;
  state: StepState;
  at: number | null;
  due: number | null;
}

export function steps(stop: Stop, now: number): Step[] {
  const ended = stop.state === 'refused' || stop.state === 'withdrawn';
  const known = stop.completed_at !== null && stop.awaited.length === 0;
  const passed: [StepName, boolean, number | null, number | null][] = [
    ['applied', true, stop.applied_at, null],
    ['answered', stop.answered_at !== null, stop.answered_at, null],
    ['visited', stop.completed_at !== null, stop.completed_at, stop.visit_due_at],
    ['known', known, known ? stop.closed_at : null, stop.known_by],
    ['closed', stop.closed_at !== null, stop.closed_at, null],
  ];
  const present = passed.findIndex(([, done]) => !done);
  return passed.map(([name, done, at, due], n) => {
    if (done) return { name, state: 'done', at, due };
    if (ended) return { name, state: 'over', at: null, due: null };
    if (n > present) return { name, state: 'later', at: null, due };
    return { name, state: due !== null && due < now ? 'late' : 'waits', at: null, due };
  });
}
