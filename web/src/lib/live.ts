// The live connection: one websocket, every topic, whole batches, and an honest idea of how old the picture is.
import { decode } from '@msgpack/msgpack';
import { livePass, SignedOut } from './api';
import { backoff, freshness, type Freshness } from './live/freshness';
import { TopicState, type Change, type Entry, type Verdict } from './live/topic';
import {
  SUBPROTOCOL,
  TOPICS,
  type Bye,
  type ClientMessage,
  type ServerMessage,
  type Tick,
  type Topic,
  type TopicRows,
} from './wire';

export type { Change } from './live/topic';

/** `signed_out`: a person must sign in again; `closed`: the server said not to come back. */
export type Connection = 'connecting' | 'open' | 'lost' | 'signed_out' | 'closed';

export interface LiveEvents {
  changed(topic: Topic, change: Change): void;
  /** The code of the company whose rows this connection carries; with every tick. */
  company(code: string): void;
  connection(state: Connection): void;
}

/** The server ticks every second: a socket silent for this long is dead, whatever TCP believes. */
const SILENCE_MS = 6000;
/** Ticks in a row that may say "you are behind" while batches are still under way. */
const BEHIND_TICKS = 3;

interface Subscription {
  state: TopicState<unknown>;
  /** Waiting for the answer to a `sub`: batches until then do not count. */
  pending: boolean;
  behind: number;
  /** Subscriptions that brought nothing good since a tick last agreed with our rows. */
  failures: number;
  retry: number | undefined;
}

function isTopic(name: string): name is Topic {
  return (TOPICS as readonly string[]).includes(name);
}

export class LiveClient {
  connection: Connection = 'connecting';
  #events: LiveEvents;
  #subscriptions: Record<Topic, Subscription>;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #timer: number | undefined;
  #watchdog: number | undefined;
  #serverTime: { at: number; performance: number } | null = null;
  #business: { at: number; rate: number; performance: number } | null = null;

  constructor(events: LiveEvents) {
    this.#events = events;
    this.#subscriptions = Object.fromEntries(
      TOPICS.map((topic) => [
        topic,
        { state: new TopicState(), pending: false, behind: 0, failures: 0, retry: undefined },
      ]),
    ) as unknown as Record<Topic, Subscription>;
  }

  rows<T extends Topic>(topic: T): Map<string, Entry<TopicRows[T]>> {
    return this.#subscriptions[topic].state.rows as Map<string, Entry<TopicRows[T]>>;
  }

  seq(topic: Topic): number | null {
    return this.#subscriptions[topic].state.position?.seq ?? null;
  }

  hasSnapshot(topic: Topic): boolean {
    return this.#subscriptions[topic].state.position !== null;
  }

  /** No source has ever written to the topic, and nothing stands in it. */
  silent(topic: Topic): boolean {
    const { state } = this.#subscriptions[topic];
    return state.position !== null && state.sourceAt === null && state.rows.size === 0;
  }

  /** The server's time now: the last tick moved on by our own steady clock, so a dead line ages too. */
  serverNow(): number | null {
    if (this.#serverTime === null) return null;
    return this.#serverTime.at + (performance.now() - this.#serverTime.performance) / 1000;
  }

  /** The business clock now, Unix seconds. */
  businessNow(): number | null {
    if (this.#business === null) return null;
    return this.#business.at + ((performance.now() - this.#business.performance) / 1000) * this.#business.rate;
  }

  /** Business time at a moment of system time, for "since 14:03:22". */
  businessAt(systemTime: number): number | null {
    const [business, server] = [this.businessNow(), this.serverNow()];
    if (business === null || server === null || this.#business === null) return null;
    return business - (server - systemTime) * this.#business.rate;
  }

  setBusiness(at: number, rate: number): void {
    this.#business = { at, rate, performance: performance.now() };
  }

  freshness(topic: Topic): Freshness {
    const now = this.serverNow();
    return now === null ? { state: 'waiting' } : freshness(this.#subscriptions[topic].state, now);
  }

  start(): void {
    void this.#connect();
  }

  /** Comes back after `signed_out` or `closed`, once the caller knows that it may. */
  resume(): void {
    if (this.#socket !== null || this.#timer !== undefined) return;
    this.#attempt = 0;
    void this.#connect();
  }

  #become(state: Connection): void {
    if (this.connection === state) return;
    this.connection = state;
    this.#events.connection(state);
  }

  async #connect(): Promise<void> {
    this.#timer = undefined;
    if (this.connection !== 'lost') this.#become('connecting');
    let pass: string;
    try {
      pass = await livePass();
    } catch (error) {
      if (error instanceof SignedOut) this.#become('signed_out');
      else this.#again(null);
      return;
    }
    const url = new URL('/live', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#listen();
    let bye: Bye | null = null;
    socket.onopen = () => {
      this.#send({ t: 'hello', pass });
      for (const topic of TOPICS) this.#subscribe(topic, true);
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (this.#socket !== socket) return;
      this.#listen();
      const message = (
        typeof event.data === 'string' ? JSON.parse(event.data) : decode(event.data)
      ) as ServerMessage;
      if (message.t === 'bye') bye = message;
      else this.#take(message);
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#ended(bye);
    };
  }

  #ended(bye: Bye | null): void {
    this.#socket = null;
    clearTimeout(this.#watchdog);
    for (const topic of TOPICS) clearTimeout(this.#subscriptions[topic].retry);
    if (bye === null || bye.reconnect_after_ms !== null) this.#again(bye);
    else if (bye.reason === 'session_ended') this.#become('signed_out');
    // A single-use pass that came too late is no reason to stay away: the next one is asked for like the first.
    else if (bye.reason === 'pass_refused') this.#again(null);
    else this.#become('closed');
  }

  #again(bye: Bye | null): void {
    this.#become('lost');
    const asked = bye?.reconnect_after_ms ?? null;
    // Jitter also on what the server asked for: a hall of walls must not return in the same instant.
    const seconds = asked === null ? backoff(this.#attempt, Math.random()) : asked / 1000 + Math.random() * 0.5;
    this.#attempt += 1;
    this.#timer = window.setTimeout(() => void this.#connect(), seconds * 1000);
  }

  #listen(): void {
    clearTimeout(this.#watchdog);
    const socket = this.#socket;
    this.#watchdog = window.setTimeout(() => {
      if (this.#socket !== socket || socket === null) return;
      // close() on a dead line waits for minutes: let go of it now.
      socket.onclose = null;
      socket.onmessage = null;
      socket.close();
      this.#ended(null);
    }, SILENCE_MS);
  }

  #send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #subscribe(topic: Topic, fromPosition: boolean): void {
    const subscription = this.#subscriptions[topic];
    clearTimeout(subscription.retry);
    subscription.pending = true;
    subscription.behind = 0;
    const since = fromPosition ? subscription.state.position : null;
    this.#send(since === null ? { t: 'sub', topic } : { t: 'sub', topic, since });
  }

  #subscribeLater(topic: Topic, fromPosition: boolean): void {
    const subscription = this.#subscriptions[topic];
    subscription.pending = true;
    clearTimeout(subscription.retry);
    const seconds = backoff(subscription.failures, Math.random());
    subscription.failures += 1;
    subscription.retry = window.setTimeout(() => this.#subscribe(topic, fromPosition), seconds * 1000);
  }

  #take(message: Exclude<ServerMessage, Bye>): void {
    if (message.t === 'tick') {
      this.#tick(message);
      return;
    }
    if (message.topic === null || !isTopic(message.topic)) return;
    const topic = message.topic;
    const subscription = this.#subscriptions[topic];
    switch (message.t) {
      case 'snap':
        subscription.pending = false;
        this.#settle(topic, subscription.state.snapshot(message));
        break;
      case 'batch':
        if (!subscription.pending) this.#settle(topic, subscription.state.batch(message));
        break;
      case 'resumed':
        subscription.pending = false;
        if (subscription.state.position?.epoch !== message.epoch) this.#subscribe(topic, false);
        break;
      case 'error':
        // The server's process has not opened our company yet; other errors are followed by its `bye`.
        if (message.code === 'unknown_topic') this.#subscribeLater(topic, true);
        break;
    }
  }

  #settle(topic: Topic, verdict: Verdict): void {
    if (verdict.kind === 'applied') this.#events.changed(topic, verdict.change);
    else if (verdict.kind === 'gap') this.#subscribe(topic, true);
    else if (verdict.kind === 'wrong') this.#wrong(topic);
  }

  /** Our rows are not the server's: a snapshot, at once the first time, then with growing pauses. */
  #wrong(topic: Topic): void {
    const subscription = this.#subscriptions[topic];
    if (subscription.failures > 0) {
      this.#subscribeLater(topic, false);
      return;
    }
    subscription.failures = 1;
    this.#subscribe(topic, false);
  }

  #tick(tick: Tick): void {
    this.#serverTime = { at: tick.server_time, performance: performance.now() };
    this.setBusiness(tick.business.at, tick.business.rate);
    this.#attempt = 0;
    this.#become('open');
    this.#events.company(tick.company);
    for (const [topic, at] of Object.entries(tick.topics)) {
      if (!isTopic(topic)) continue;
      const subscription = this.#subscriptions[topic];
      if (subscription.pending) continue;
      const verdict = subscription.state.tick(at);
      if (verdict === 'wrong') this.#wrong(topic);
      else if (verdict === 'behind') {
        subscription.behind += 1;
        if (subscription.behind >= BEHIND_TICKS) this.#subscribe(topic, true);
      } else subscription.behind = 0;
      if (verdict === 'same') subscription.failures = 0;
    }
  }
}
