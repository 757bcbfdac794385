// One call from ring to ticket, with a server that answers as it is told.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/lib/api';
import { Call } from '../../src/intake/call/call.svelte';
import { keeper } from '../../src/intake/kept';
import type { HouseholdCard, LookUp, Proposal, Ticket } from '../../src/intake/types';

const server = vi.hoisted(() => ({
  lookUp: vi.fn(),
  propose: vi.fn(),
  suggest: vi.fn(),
  send: vi.fn(),
  hangCase: vi.fn(),
  cancelTicket: vi.fn(),
  sendPhoto: vi.fn(),
  newKey: vi.fn(),
}));
vi.mock('../../src/intake/api', () => server);

class Tab implements Storage {
  [name: string]: unknown;
  get length(): number {
    return Object.keys(this).length;
  }
  key = (): null => null;
  clear = (): void => undefined;
  getItem = (name: string): string | null => (this[name] as string | undefined) ?? null;
  setItem = (name: string, value: string): void => void (this[name] = value);
  removeItem = (name: string): void => void delete this[name];
}

const card = (household: string): HouseholdCard => ({ household, building: 'B1', is_caller: true }) as HouseholdCard;
const found = (...households: HouseholdCard[]): LookUp => ({
  caller: { pseudonym: 'p', name: '王建国', phone: '13800138000' },
  households,
  more_households: false,
  tickets: [],
  outages: [],
  applications: [],
  cases: [],
});
const ticket = (more: Partial<Ticket> = {}): Ticket =>
  ({ id: '260114-000001', version: 2, kind: 'leak', level: 'red', state: 'accepted', ...more }) as Ticket;
const proposal: Proposal = { kind: 'leak', level: 'red', reasons: [], dangers: [], place: null };
const gone = new ApiError(0, 'unreachable', '', '');

let tab: Tab;
let keys: number;
const kept = () => Object.entries(tab).filter(([name]) => name.startsWith('heatops.intake.') && !name.endsWith('owner'));
const open = () => new Call(keeper('main wang', tab), () => 'Asia/Shanghai');
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('window', globalThis);
  tab = new Tab();
  keys = 0;
  for (const call of Object.values(server)) call.mockReset();
  server.newKey.mockImplementation(() => `key-${(keys += 1)}`);
  server.lookUp.mockResolvedValue(found(card('H1')));
  server.propose.mockResolvedValue(proposal);
  server.send.mockResolvedValue(ticket());
});

async function typed(words: string): Promise<Call> {
  const call = open();
  call.draft.who = '13800138000';
  await call.find();
  call.draft.words = words;
  call.touched();
  await vi.advanceTimersByTimeAsync(250);
  return call;
}

describe('a call', () => {
  it('takes the only household at once and lets the seat choose among several', async () => {
    const call = open();
    call.draft.who = '13800138000';
    await call.find();
    expect([call.draft.household, call.draft.name, call.draft.phone, call.goal.to]).toEqual([
      'H1',
      '王建国',
      '13800138000',
      'words',
    ]);
    server.lookUp.mockResolvedValue(found(card('H1'), card('H2')));
    await call.find();
    expect([call.draft.household, call.goal.to]).toEqual([null, 'households']);
    call.take(card('H2'));
    expect([call.draft.household, call.goal.to]).toEqual(['H2', 'words']);
  });

  it('tries a number as a household number when it is nobody’s phone', async () => {
    server.lookUp.mockResolvedValueOnce({ ...found(), caller: null });
    const call = open();
    call.draft.who = '13800138000';
    await call.find();
    expect(server.lookUp.mock.calls.map(([wanted]) => wanted as unknown)).toEqual([
      { phone: '13800138000' },
      { household: '13800138000' },
    ]);
  });

  it('asks the policy once the typing pauses, and never shows an answer to older words', async () => {
    const call = await typed('暖气');
    expect(server.propose).toHaveBeenCalledTimes(1);
    let late: (answer: Proposal) => void = () => undefined;
    server.propose.mockReturnValueOnce(new Promise((resolve) => (late = resolve)));
    call.draft.words = '暖气不热';
    call.touched();
    await vi.advanceTimersByTimeAsync(250);
    call.draft.words = '暖气跑水';
    call.touched();
    await vi.advanceTimersByTimeAsync(250);
    late({ ...proposal, kind: 'not_warm' });
    await settle();
    expect([call.proposal?.kind, server.propose.mock.calls.at(-1)?.[0].words]).toEqual(['leak', '暖气跑水']);
  });

  it('looks up the place that was heard when the caller has none, once, and never the caller’s own again', async () => {
    server.lookUp.mockResolvedValueOnce({ ...found(), caller: null }).mockResolvedValueOnce({ ...found(), caller: null });
    const place = { verdict: 'matched', building: { id: 'B7', address: '', lon: 0, lat: 0 }, household: 'H7' };
    server.propose.mockResolvedValue({ ...proposal, place });
    server.lookUp.mockResolvedValue({ ...found(card('H7')), caller: null });
    const call = await typed('红旗大街7号漏水');
    call.draft.words = '红旗大街7号漏水了';
    call.touched();
    await vi.advanceTimersByTimeAsync(250);
    expect(server.lookUp.mock.calls.slice(2)).toEqual([[{ household: 'H7' }]]);
    expect([call.thereCard?.household, call.draft.household]).toEqual(['H7', null]);

    server.lookUp.mockResolvedValue(found(card('H1')));
    call.next();
    const again = await typed('红旗大街7号漏水');
    expect([again.there, again.card?.household]).toEqual([null, 'H1']);
    again.useHeard();
    await settle();
    expect([server.lookUp.mock.lastCall, again.household]).toEqual([[{ household: 'H7' }], 'H7']);
  });

  it('sends what the seat saw and forgets the resident as soon as it is taken in', async () => {
    const call = await typed('跑水');
    expect(kept()).toHaveLength(1);
    call.submit();
    await settle();
    expect(server.send).toHaveBeenCalledWith(
      '/api/requests',
      expect.objectContaining({ household: 'H1', words: '跑水', accepted: true, source: 'phone' }),
      'key-1',
    );
    expect(call.answer).toMatchObject({ is: 'ticket', ticket: { id: '260114-000001' } });
    expect(kept()).toEqual([]);
    call.next();
    expect([call.draft.words, call.looked, call.answer, call.goal.to]).toEqual(['', null, null, 'who']);
  });

  it('keeps a lost request with its key, also over a reload, and sends it again until it is answered', async () => {
    server.send.mockRejectedValue(gone);
    const call = await typed('跑水');
    call.submit();
    await settle();
    expect([call.entry?.state, call.locked]).toEqual(['waiting', true]);

    const again = open();
    expect([again.draft.words, again.sentKey, again.entry?.key]).toEqual(['跑水', 'key-1', 'key-1']);
    server.send.mockResolvedValue(ticket());
    again.submit();
    await settle();
    expect(server.send.mock.calls.map(([, , key]) => key as string)).toEqual(['key-1', 'key-1']);
    expect(again.answer).not.toBeNull();
    expect(kept()).toEqual([]);
  });

  it('parks an unanswered request behind the next call', async () => {
    server.send.mockRejectedValueOnce(gone);
    const call = await typed('跑水');
    call.submit();
    await settle();
    call.next();
    expect([call.outbox.entries.length, call.draft.words]).toEqual([1, '']);
    call.draft.words = '另一位';
    vi.stubGlobal('addEventListener', () => undefined);
    vi.stubGlobal('removeEventListener', () => undefined);
    const stop = call.outbox.start();
    await settle();
    stop();
    expect([call.outbox.entries.length, call.answer, call.draft.words]).toEqual([0, null, '另一位']);
    expect(call.recent.map(({ id }) => id)).toEqual(['260114-000001']);
  });

  it('says why it was refused and gives the form back under a new key', async () => {
    server.send.mockRejectedValueOnce(new ApiError(404, 'no_such_household', 'There is no household H1.', 'Check it.'));
    const call = await typed('跑水');
    call.submit();
    await settle();
    expect([call.entry?.state, call.entry?.refusal?.detail]).toEqual(['refused', 'There is no household H1.']);
    call.edit();
    expect([call.locked, call.draft.words]).toEqual([false, '跑水']);
    call.submit();
    await settle();
    expect(server.send.mock.calls.at(-1)?.[2]).toBe('key-2');
  });

  it('takes a new ticket back with everything as it was, but never one that others work on', async () => {
    const call = await typed('跑水');
    call.submit();
    await settle();
    server.cancelTicket.mockResolvedValue(ticket({ state: 'cancelled' }));
    await call.undo();
    expect([call.answer, call.draft.words, call.undone]).toEqual([null, '跑水', true]);
    server.send.mockResolvedValue(ticket({ attached: true, reports: 3 }));
    call.submit();
    await settle();
    server.cancelTicket.mockClear();
    await call.undo();
    expect(server.cancelTicket).not.toHaveBeenCalled();
    expect(call.answer).not.toBeNull();
  });

  it('hangs the case that came with it, under the same keys however often it takes', async () => {
    const call = await typed('不热');
    [call.draft.source, call.draft.caseNumber] = ['12345', '20260114-1'];
    server.hangCase.mockRejectedValueOnce(gone).mockResolvedValue({ id: 'C1', ticket: '260114-000001' });
    call.submit();
    await settle();
    expect(call.entry?.state).toBe('waiting');
    call.submit();
    await settle();
    expect(server.send.mock.calls.map(([, , key]) => key as string)).toEqual(['key-1', 'key-1']);
    expect(server.hangCase.mock.calls).toEqual(
      Array(2).fill(['hotline_12345', '20260114-1', '260114-000001', 'key-1-case']),
    );
    expect(call.answer).toMatchObject({ hung: { id: 'C1' } });
    await call.undo();
    expect(server.cancelTicket).not.toHaveBeenCalled();
  });

  it('applies for a stop where one is meant and the household is known', async () => {
    server.propose.mockResolvedValue({ ...proposal, kind: 'suspension' });
    server.send.mockResolvedValue({ id: 'S1', action: 'suspension', state: 'refused', duplicate: false });
    const call = await typed('要报停');
    call.submit();
    await settle();
    expect(server.send.mock.calls[0]?.slice(0, 2)).toEqual([
      '/api/suspensions',
      expect.objectContaining({ action: 'suspension', household: 'H1', applicant: { name: '王建国', phone: '13800138000' } }),
    ]);
    expect(call.answer).toMatchObject({ is: 'application', application: { state: 'refused' } });
  });

  it('never lets a ringing call take the place of one that is being typed', async () => {
    const call = await typed('跑水');
    call.ring('13900139000');
    expect([call.ringing, call.draft.words]).toEqual(['13900139000', '跑水']);
    call.pickUp('13900139000');
    await settle();
    expect([call.ringing, call.draft.who, call.draft.words]).toEqual([null, '13900139000', '']);
    await call.back();
    expect(call.draft.words).toBe('跑水');
  });

  it('throws away unread what another person left in the tab', async () => {
    await typed('跑水');
    expect(new Call(keeper('main li', tab), () => 'UTC').draft.words).toBe('');
    expect(kept()).toEqual([]);
  });
});
