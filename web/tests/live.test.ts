// The live connection against a server that misbehaves: how often it asks again, and what it says to whom.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveClient, type Connection } from '../src/lib/live';
import { TOPICS, type ServerMessage } from '../src/lib/wire';

class Socket {
  static last: Socket;
  static readonly OPEN = 1;
  readyState = 1;
  sent: { t: string; topic?: string; since?: unknown }[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  constructor() {
    Socket.last = this;
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as (typeof this.sent)[number]);
  }
  close(): void {}
  say(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  subs(topic: string): (typeof this.sent) {
    return this.sent.filter((message) => message.t === 'sub' && message.topic === topic);
  }
}

const NOTHING = '0000000000000000';
let live: LiveClient;
let companies: string[];
let states: Connection[];

async function connect(): Promise<Socket> {
  await vi.advanceTimersByTimeAsync(0);
  Socket.last.onopen?.();
  return Socket.last;
}

const snap = (socket: Socket, topic: string): void =>
  socket.say({ t: 'snap', topic, epoch: 1, seq: 5, hash: NOTHING, as_of: 9, source_at: null, cadence_s: null, rows: [] });

const tick = (socket: Socket, hash: string): void =>
  socket.say({
    t: 'tick',
    server_time: 10,
    company: 'main',
    business: { at: 10, rate: 1 },
    topics: { tickets: { epoch: 1, seq: 5, hash, as_of: 10, source_at: null, cadence_s: null } },
  });

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal('window', globalThis);
  vi.stubGlobal('location', { href: 'http://wall.test/wall' });
  vi.stubGlobal('WebSocket', Socket);
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"pass":"p"}', { status: 201 })));
  [companies, states] = [[], []];
  live = new LiveClient({
    changed: () => {},
    company: (code) => companies.push(code),
    connection: (state) => states.push(state),
  });
  live.start();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('LiveClient', () => {
  it('subscribes to everything and says whose rows come', async () => {
    const socket = await connect();
    expect(socket.sent.map((message) => message.t)).toEqual(['hello', ...TOPICS.map(() => 'sub')]);
    tick(socket, NOTHING);
    expect([companies, states]).toEqual([['main'], ['open']]);
  });

  it('fetches a topic that stays wrong with growing pauses, until a tick agrees', async () => {
    const socket = await connect();
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const asked: number[] = [];
    for (let second = 0; second < 60; second += 1) {
      const before = socket.subs('tickets').length;
      snap(socket, 'tickets');
      tick(socket, 'ffffffffffffffff');
      await vi.advanceTimersByTimeAsync(1000);
      if (socket.subs('tickets').length > before) asked.push(second);
    }
    expect(asked.length).toBeLessThan(12);
    snap(socket, 'tickets');
    tick(socket, NOTHING);
    const before = socket.subs('tickets').length;
    tick(socket, 'ffffffffffffffff');
    expect(socket.subs('tickets').length).toBe(before + 1);
    expect(socket.subs('tickets').at(-1)).not.toHaveProperty('since');
  });

  it('asks again later for a topic that the server does not know yet', async () => {
    const socket = await connect();
    socket.say({ t: 'error', code: 'unknown_topic', topic: 'rooms' });
    expect(socket.subs('rooms').length).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(socket.subs('rooms').length).toBe(2);
  });

  it('comes back after the server sent it away, when it is told to', async () => {
    const socket = await connect();
    socket.say({ t: 'bye', reason: 'protocol', reconnect_after_ms: null });
    socket.onclose?.();
    expect(live.connection).toBe('closed');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(Socket.last).toBe(socket);
    live.resume();
    expect(await connect()).not.toBe(socket);
  });
});
