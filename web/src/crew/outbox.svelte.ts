// Everything said on this phone, in order, until the server has answered it; IndexedDB holds it, this shows and sends it.
import { endsSession } from './api';
import * as db from './db';
import { pause, sendable } from './order';
import { letBe, renew, send } from './send';
import type { NewOp, Op, Refusal } from './types';

const EVERY_MS = 15_000;
const LOCK = 'heatops-crew-outbox';
/** Answered ops are shown for two days. */
const KEEP_MS = 172_800_000;

type Told = 'changed' | 'signed';

export interface OutboxOwner {
  crew(): string | null;
  clock(): number;
  /** An op was answered: what the server says of the day may have changed. */
  answered(op: Op, refusal: Refusal | null): void;
  /** The server answered at all, or did not. */
  reached(yes: boolean): void;
  signedOut(refusal: Refusal): void;
  /** Another tab of the phone has signed in or out. */
  signedElsewhere(): void;
}

export class Outbox {
  ops = $state.raw<Op[]>([]);
  readonly #owner: OutboxOwner;
  readonly #others = new BroadcastChannel('heatops-crew');
  #again = false;
  #busy = false;
  #hasty = false;

  constructor(owner: OutboxOwner) {
    this.#owner = owner;
  }

  waiting = $derived(this.ops.filter((op) => op.state === 'queued' || op.state === 'sending').length);
  refused = $derived(this.ops.filter((op) => op.state === 'refused').length);

  async start(): Promise<() => void> {
    const due = Date.now() - KEEP_MS;
    for (const op of await db.ops()) if (op.state === 'done' && (op.done_at ?? 0) < due) await db.dropOp(op);
    await this.read();
    const now = (): void => void this.hurry();
    const seen = (): void => {
      if (!document.hidden) now();
    };
    const timer = window.setInterval(() => void this.drain(), EVERY_MS);
    window.addEventListener('online', now);
    document.addEventListener('visibilitychange', seen);
    this.#others.onmessage = (event: MessageEvent<Told>) => this.#heard(event.data);
    void this.drain();
    return () => {
      window.clearInterval(timer);
      window.removeEventListener('online', now);
      document.removeEventListener('visibilitychange', seen);
      this.#others.close();
    };
  }

  async read(): Promise<void> {
    this.ops = await db.ops();
  }

  /** What another tab says while this one sends is sent in the same round. */
  #heard(told: Told): void {
    this.#again ||= this.#busy;
    if (told === 'signed') this.#owner.signedElsewhere();
    void this.read();
  }

  /** The other tabs of the phone learn who is signed in. */
  tellSigned(): void {
    this.#others.postMessage('signed' satisfies Told);
  }

  async #changed(): Promise<void> {
    await this.read();
    this.#others.postMessage('changed' satisfies Told);
  }

  /** Kept before it is sent; the promise is kept once it is on disk. */
  async add(op: NewOp, crew: string, photo: ArrayBuffer | null = null, key: string = crypto.randomUUID()): Promise<void> {
    const common = {
      key, crew, said_at: Date.now(), state: 'queued' as const, tries: 0, next_at: 0, refusal: null, done_at: null,
    };
    if (op.what === 'photo') await db.addOp({ ...op, ...common, upload: null, have: 0, said: [] }, photo);
    else await db.addOp({ ...op, ...common, sent: [] }, null);
    await this.#changed();
    void this.drain();
  }

  async discard(op: Op): Promise<void> {
    const last = (await db.opById(op.id)) ?? op;
    await db.dropOp(last);
    await this.#changed();
    void letBe(last);
  }

  async doAgain(op: Op): Promise<void> {
    await renew(op.id);
    await this.#changed();
    void this.drain();
  }

  /** Sends without waiting for the back-off. */
  async hurry(): Promise<void> {
    this.#hasty = true;
    await this.drain();
  }

  async #forgetPauses(): Promise<void> {
    this.#hasty = false;
    for (const op of await db.ops()) if (op.state === 'queued' && op.next_at > 0) await db.changeOp(op.id, { next_at: 0 });
  }

  /** One tab of the phone sends at a time; what is added meanwhile is sent in the same round. */
  async drain(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      do {
        this.#again = false;
        if (this.#hasty) await this.#forgetPauses();
        await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
          if (lock !== null) await this.#round();
        });
      } while (this.#again);
    } finally {
      this.#busy = false;
    }
  }

  async #round(): Promise<void> {
    // Only the holder of the lock sends: what is still being sent was so by a tab that is gone.
    for (const op of await db.ops()) if (op.state === 'sending') await db.changeOp(op.id, { state: 'queued' });
    for (;;) {
      const crew = this.#owner.crew();
      if (crew === null) return;
      const op = sendable(await db.ops(), crew, Date.now())[0];
      if (op === undefined) break;
      const goesOn = await this.#one(op);
      if (!goesOn) break;
    }
    await this.#changed();
  }

  /** False where nothing else can be sent now either. */
  async #one(op: Op): Promise<boolean> {
    await db.changeOp(op.id, { state: 'sending', tries: op.tries + 1 });
    await this.#changed();
    const outcome = await send(op, () => this.#owner.clock());
    if (outcome.is === 'waits') {
      const { status } = outcome.refusal;
      const ended = endsSession(outcome.refusal);
      const next_at = ended ? 0 : Date.now() + pause(op.tries, Math.random());
      await db.changeOp(op.id, { state: 'queued', refusal: outcome.refusal, next_at });
      await this.#changed();
      if (ended) this.#owner.signedOut(outcome.refusal);
      this.#owner.reached(status !== 0);
      return status !== 0 && !ended;
    }
    this.#owner.reached(true);
    const refusal = outcome.is === 'refused' ? outcome.refusal : null;
    const state = refusal === null ? ('done' as const) : ('refused' as const);
    const after = await db.changeOp(op.id, { state, refusal, done_at: Date.now() });
    await this.#changed();
    if (after !== null) this.#owner.answered(after, refusal);
    return true;
  }
}
