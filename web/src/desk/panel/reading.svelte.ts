// The selected ticket with its trace, read behind the row that is shown at once, and again whenever the row changes.
import type { TicketRow } from '../../lib/wire';
import { readTicket, type TicketTraced } from '../api';

/** Whoever holds an arrow key down reads nothing on the way. */
const SETTLED_MS = 120;

export class Reading {
  traced = $state.raw<TicketTraced | null>(null);
  problem = $state.raw<unknown>(null);
  #id: string | null = null;
  #row: TicketRow | null = null;
  #timer: number | undefined;

  follow(id: string | null, row: TicketRow | null): void {
    if (id === this.#id && row === this.#row) return;
    if (id !== this.#id) {
      this.traced = null;
      this.problem = null;
    }
    this.#id = id;
    this.#row = row;
    window.clearTimeout(this.#timer);
    if (id !== null) this.#timer = window.setTimeout(() => void this.read(), SETTLED_MS);
  }

  /** The version that the person sees; null: not read yet. */
  get version(): number | null {
    return this.traced?.ticket.version ?? null;
  }

  /** The version, read now if it has not been: no key is lost because it was pressed early. */
  async seen(): Promise<number | null> {
    if (this.traced === null) await this.read();
    return this.version;
  }

  async read(): Promise<void> {
    const id = this.#id;
    if (id === null) return;
    try {
      const traced = await readTicket(id);
      if (id !== this.#id) return;
      this.traced = traced;
      this.problem = null;
    } catch (error) {
      if (id === this.#id) this.problem = error;
    }
  }
}
