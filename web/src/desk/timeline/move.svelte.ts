// A visit on its way to another crew or time, by pointer or by keys: the price is asked while it moves.
import type { Board } from '../board/board.svelte';

const STEP_S = 300;

export interface Grip {
  ticket: string;
  crew: string;
  start_at: number;
  length_s: number;
}

export class Move {
  /** Where it came from; null: nothing moves. */
  from = $state.raw<Grip | null>(null);
  crew = $state<string | null>(null);
  /** Where it would begin. */
  at = $state(0);
  /** Let go of: the price is shown and a person says yes or no. */
  dropped = $state(false);
  #board: Board;

  constructor(board: Board) {
    this.#board = board;
  }

  get active(): boolean {
    return this.from !== null;
  }

  /** Whether it would begin at another time than it did. */
  get shifted(): boolean {
    return this.from !== null && Math.abs(this.at - this.from.start_at) >= STEP_S;
  }

  grip(grip: Grip): void {
    this.#board.select(grip.ticket);
    this.from = grip;
    this.crew = grip.crew;
    this.at = grip.start_at;
    this.dropped = false;
  }

  /** To a crew and a time, in whole five minutes and never in the past. */
  to(crew: string, at: number, crewName: string): void {
    if (this.from === null || this.dropped) return;
    const soonest = Math.ceil(this.#board.desk.now / STEP_S) * STEP_S;
    const start = Math.max(soonest, Math.round(at / STEP_S) * STEP_S);
    if (crew === this.crew && start === this.at) return;
    this.crew = crew;
    this.at = start;
    this.#ask(crewName);
  }

  #ask(crewName: string): void {
    if (this.from === null || this.crew === null) return;
    const of = this.shifted ? { crew: this.crew, start_at: this.at } : { crew: this.crew };
    this.#board.proposing.think(of, crewName);
  }

  /** Let go: nothing happens yet but that the price stands there with a question. */
  drop(): void {
    if (this.from === null) return;
    const same = this.crew === this.from.crew && !this.shifted;
    if (same) this.cancel();
    else this.dropped = true;
  }

  cancel(): void {
    if (this.from === null) return;
    this.from = null;
    this.dropped = false;
    this.#board.proposing.leave();
  }
}
