// Which crews' lanes stand where, and which stretch of time is in sight.
import type { Board } from '../board/board.svelte';
import { place } from '../queue/rows';
import { lane, laneOrder, type Lane, type Selected } from './lanes';

/** What is over is not drawn: the day begins a little before now. */
const BEFORE_S = 15 * 60;
const QUARTER_S = 900;
const SPANS = [2, 4, 6, 8, 12, 24].map((hours) => hours * 3600);

export class Day {
  span = $state(6 * 3600);
  /** Where a person moved the picture to; null: it goes with the clock. */
  moved = $state<number | null>(null);
  /** The lane and bar that the keys are at. */
  at = $state<{ lane: number; bar: number }>({ lane: 0, bar: 0 });
  #board: Board;
  #kept: string[] = [];

  constructor(board: Board) {
    this.#board = board;
  }

  /** The left edge; it goes on in quarters of an hour. */
  readonly from = $derived.by(() => this.moved ?? Math.floor((this.#board.desk.now - BEFORE_S) / QUARTER_S) * QUARTER_S);

  readonly selected = $derived.by((): Selected | null => {
    const { selected, row, proposing } = this.#board;
    if (selected === null || row === null) return null;
    return { ticket: selected, level: row.level, address: place(row), choices: row.state === 'accepted' ? (proposing.proposal?.choices ?? []) : [] };
  });

  /** Lanes keep their places while something is moved over them. */
  readonly order = $derived.by((): string[] => {
    const { desk, move } = this.#board;
    void desk.seen.crews;
    void desk.seen.plan;
    const choices = this.selected?.choices ?? [];
    if (!move.active) this.#kept = laneOrder(desk.live.rows('crews'), desk.live.rows('plan'), choices);
    return this.#kept;
  });

  laneOf(crew: string): Lane | null {
    const { desk } = this.#board;
    void desk.seen.crews;
    void desk.seen.plan;
    const row = desk.live.rows('crews').get(crew)?.row;
    if (row === undefined) return null;
    const tickets = desk.live.rows('tickets');
    return lane(crew, row, desk.live.rows('plan').get(crew)?.row, this.selected, (id) => tickets.get(id)?.row.pinned != null, (id) => {
      const of = tickets.get(id)?.row;
      return of === undefined ? null : place(of);
    });
  }

  name(crew: string): string {
    return this.#board.desk.live.rows('crews').get(crew)?.row.name ?? crew;
  }

  pan(seconds: number): void {
    this.moved = this.from + seconds;
  }

  zoom(by: number): void {
    const at = SPANS.indexOf(this.span);
    this.span = SPANS[Math.max(0, Math.min(SPANS.length - 1, at + by))]!;
  }

  /** The selected ticket's ghost, else its visit: what M takes up. */
  take(): boolean {
    const { selected, proposing, row, move, desk } = this.#board;
    if (selected === null || row === null) return false;
    for (const crew of this.order) {
      const bar = this.laneOf(crew)?.bars.find((one) => one.ticket === selected && (one.rank === null || one.rank === 1));
      if (bar === undefined || !movable(bar.state)) continue;
      move.grip({ ticket: selected, crew, start_at: bar.from, length_s: bar.until - bar.from });
      return true;
    }
    const first = this.order[0];
    if (row.state !== 'accepted' || first === undefined) return false;
    // Nobody was proposed: it is taken up at the first crew, now.
    const best = proposing.best;
    move.grip({ ticket: selected, crew: best?.crew ?? first, start_at: best?.start_at ?? Math.ceil(desk.now / 300) * 300, length_s: 1800 });
    return true;
  }
}

/** A crew that is on its way or on site is not taken away with the pointer. */
export const movable = (state: string): boolean => ['planned', 'dispatched', 'confirmed', 'ghost'].includes(state);
