// What the phone believes of a visit: the server's last word, and over it what was said here since. Pure.
import type { Op, Slot, SlotView, ValveView, Visit } from './types';

/** A visit as believed; `over`: this crew is done with it as soon as what waits has arrived. */
export interface Believed extends Visit {
  enRoute: boolean;
  onSite: boolean;
  /** The Idempotency-Key of the check-in of this visit, where this phone said it. */
  visitKey: string | null;
  over: 'done' | 'no-answer' | 'refuse' | null;
  partsSaid: boolean;
  /** Ops of this visit that wait or are on their way. */
  waiting: number;
  refused: number;
}

const turned = (valves: ValveView[], body: Record<string, unknown>): ValveView[] => {
  const id = String(body['valve']);
  const state = body['to'] === 'closed' ? 'closed' : body['vented'] === true ? 'open' : 'unvented';
  if (!valves.some((valve) => valve.id === id)) return [...valves, { id, kind: null, name: String(body['name'] ?? id), lon: null, lat: null, state }];
  const until_at = state === 'closed' ? Number(body['expected_end_at'] ?? 0) || null : null;
  return valves.map((valve) => (valve.id === id ? { ...valve, state, until_at } : valve));
};

const withPhoto = (slots: SlotView[], slot: Slot): SlotView[] =>
  slots.some((view) => view.slot === slot)
    ? slots.map((view) => (view.slot === slot ? { slot, state: 'taken' as const, why: [] } : view))
    : slots;

/** `ops`: of this ticket, in the order in which they were said; `askedAt`: when the server's word was asked for. */
export function believe(visit: Visit, ops: readonly Op[], askedAt: number): Believed {
  let now: Believed = {
    ...visit,
    enRoute: false,
    onSite: visit.check_in !== null,
    visitKey: null,
    over: null,
    partsSaid: false,
    waiting: 0,
    refused: 0,
  };
  for (const op of ops) {
    if (op.ticket !== visit.ticket) continue;
    if (op.state === 'refused') {
      now.refused += 1;
      continue;
    }
    if (op.state !== 'done') now.waiting += 1;
    // The server does not keep these for the phone: they hold until the visit is over.
    if (op.what === 'en-route') now.enRoute = true;
    if (op.what === 'parts-used') now.partsSaid = true;
    if (op.what === 'check-in') now.visitKey = op.key;
    const heard = op.state === 'done' && (op.done_at ?? 0) < askedAt;
    if (!heard) now = said(now, op);
    if (LEAVES.has(op.what)) now = { ...now, enRoute: false, partsSaid: false, visitKey: null };
  }
  return now;
}

const LEAVES: ReadonlySet<string> = new Set(['done', 'no-answer', 'refuse', 'check-out']);

function said(now: Believed, op: Op): Believed {
  switch (op.what) {
    case 'accept':
    case 'en-route':
      return now.state === 'dispatched' ? { ...now, state: 'confirmed' } : now;
    case 'check-in':
      return {
        ...now,
        state: now.state === 'verifying' ? now.state : 'handling',
        onSite: true,
        over: null,
        check_in: { in_at: Number(op.body['at_device_ms']) / 1000, needs_review: op.body['fix'] === undefined },
      };
    case 'photo':
      return { ...now, slots: withPhoto(now.slots, op.body.slot) };
    case 'valve':
      return { ...now, valves: turned(now.valves, op.body) };
    case 'hazard':
      return { ...now, dangers: [...new Set([...now.dangers, String(op.body['hazard'])])] };
    case 'check-out':
      return { ...now, onSite: false, check_in: null };
    case 'done':
    case 'no-answer':
    case 'refuse':
      return { ...now, onSite: false, check_in: null, over: op.what };
    default:
      return now;
  }
}
