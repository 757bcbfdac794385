// Hears from the server that the crew's day has changed; without it the day is still asked for now and then.
import { decode } from '@msgpack/msgpack';
import { backoff } from '../lib/live/freshness';
import { SUBPROTOCOL, type ServerMessage } from '../lib/wire';
import { call } from './api';

/** The server ticks every second: a line that is silent for this long is dead. */
const SILENCE_MS = 10_000;
const LOOK_MS = 2000;

export class Rounds {
  #socket: WebSocket | null = null;
  #heardAt = 0;
  #next = 0;
  #attempt = 0;
  readonly #changed: () => void;
  readonly #may: () => boolean;

  /** `may`: whether the phone is signed in and looked at; it listens only then, for the sake of its battery. */
  constructor(changed: () => void, may: () => boolean) {
    this.#changed = changed;
    this.#may = may;
  }

  start(): () => void {
    const timer = window.setInterval(() => this.#look(), LOOK_MS);
    return () => {
      window.clearInterval(timer);
      this.#leave();
    };
  }

  #look(): void {
    const dead = this.#socket !== null && Date.now() - this.#heardAt > SILENCE_MS;
    if (dead || !this.#may()) this.#leave();
    if (this.#socket !== null || !this.#may() || Date.now() < this.#next) return;
    this.#next = Date.now() + backoff(this.#attempt, Math.random()) * 1000 + LOOK_MS;
    this.#attempt += 1;
    void this.#connect();
  }

  #leave(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  async #connect(): Promise<void> {
    const pass = await call<{ pass: string }>('POST', '/api/live-passes', { has: ['pass'] }).then(
      (answer) => answer.body.pass,
      () => null,
    );
    if (pass === null || this.#socket !== null) return;
    const url = new URL('/live', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#heardAt = Date.now();
    const ask = (): void => socket.send(JSON.stringify({ t: 'sub', topic: 'rounds' }));
    socket.onopen = () => {
      socket.send(JSON.stringify({ t: 'hello', pass }));
      ask();
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      this.#heardAt = Date.now();
      const message = (typeof event.data === 'string' ? JSON.parse(event.data) : decode(event.data)) as ServerMessage;
      if (message.t === 'snap') {
        this.#attempt = 0;
        this.#changed();
      } else if (message.t === 'error' && message.code === 'unknown_topic') {
        window.setTimeout(() => socket.readyState === WebSocket.OPEN && ask(), SILENCE_MS);
      }
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#socket = null;
    };
  }
}
