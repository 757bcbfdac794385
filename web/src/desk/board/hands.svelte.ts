// Who else has which ticket open: told and asked every few seconds, so that two dispatchers see each other's hands.
import { SignedOut } from '../../lib/api';
import { tellPresence, type Hand } from '../api';

const EVERY_MS = 3000;
const SETTLED_MS = 250;

export class Hands {
  /** Ticket -> who else has it. */
  others = $state.raw<ReadonlyMap<string, Hand>>(new Map());
  #ticket: string | null = null;
  #doing: Hand['doing'] = 'looking';
  #soon: number | undefined;
  #stopped = false;

  start(): () => void {
    this.#stopped = false;
    const timer = window.setInterval(() => void this.#tell(), EVERY_MS);
    return () => {
      this.#stopped = true;
      window.clearInterval(timer);
      window.clearTimeout(this.#soon);
    };
  }

  of(ticket: string): Hand | null {
    return this.others.get(ticket) ?? null;
  }

  /** Whoever holds an arrow key down passes many tickets by: only where they stop is told. */
  say(ticket: string | null, doing: Hand['doing']): void {
    this.#ticket = ticket;
    this.#doing = doing;
    window.clearTimeout(this.#soon);
    this.#soon = window.setTimeout(() => void this.#tell(), SETTLED_MS);
  }

  async #tell(): Promise<void> {
    try {
      const { hands } = await tellPresence(this.#ticket, this.#doing);
      if (this.#stopped) return;
      const others = new Map<string, Hand>();
      for (const hand of hands) if (hand.ticket !== null) others.set(hand.ticket, hand);
      const told = (map: ReadonlyMap<string, Hand>): string => JSON.stringify([...map]);
      if (told(others) !== told(this.others)) this.others = others;
    } catch (error) {
      // Without an answer nobody's hands are known; the line says that the server is away.
      if (this.others.size > 0 && !(error instanceof SignedOut)) this.others = new Map();
    }
  }
}
