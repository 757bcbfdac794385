// One selection for four panes: the queue as it is shown, the ticket chosen in it, and what is being done with it.
import { untrack } from 'svelte';
import { i18n, word } from '../../lib/i18n.svelte';
import type { EvidenceRow } from '../../lib/rows';
import type { TicketRow } from '../../lib/wire';
import type { Desk } from '../desk.svelte';
import { Hands } from './hands.svelte';
import { Proposing } from '../panel/proposing.svelte';
import { Reading } from '../panel/reading.svelte';
import { Day } from '../timeline/day.svelte';
import { Move } from '../timeline/move.svelte';
import { asking, counted, listed, matches, neighbour, NOTHING, searchWords, settle, type List, type Shown } from '../queue/rows';

/** What stands in the panel's place beside the ticket; null: its proposal. */
export type Mode = 'other' | 'appoint' | 'permit' | 'parts' | 'pin' | 'work' | 'displace' | 'call_back' | 'link' | 'unplanned' | 'what_if' | 'keys';

/** The address follows where the selection stops, not each ticket on the way. */
const ADDRESS_AFTER_MS = 300;

export class Board {
  #address: number | undefined;
  readonly desk: Desk;
  readonly hands: Hands;
  readonly reading: Reading;
  readonly proposing: Proposing;
  readonly move: Move;
  readonly day: Day;
  list = $state<List>('waiting');
  search = $state('');
  shown = $state.raw<Shown>(NOTHING);
  /** The last row of every ticket that is shown: one that is over still has its place. */
  kept: ReadonlyMap<string, TicketRow> = new Map();
  selected = $state<string | null>(null);
  mode = $state<Mode | null>(null);
  /** The trace is unfolded. */
  tracing = $state(false);
  /** On a narrow screen: the ticket is read, and the queue waits behind it. */
  reads = $state(false);

  constructor(desk: Desk) {
    this.desk = desk;
    this.hands = new Hands();
    this.reading = new Reading();
    this.proposing = new Proposing(this);
    this.move = new Move(this);
    this.day = new Day(this);
  }

  readonly counts = $derived.by(() => {
    void this.desk.seen.tickets;
    return counted(this.desk.live.rows('tickets'));
  });

  /** The selected ticket's row; null once it is over. */
  readonly row = $derived.by((): TicketRow | null => {
    void this.desk.seen.tickets;
    return this.selected === null ? null : (this.desk.live.rows('tickets').get(this.selected)?.row ?? null);
  });

  /** Red tickets that no crew can be proposed for. */
  readonly unproposed = $derived.by((): [string, TicketRow][] => {
    void this.desk.seen.tickets;
    const found: [string, TicketRow][] = [];
    for (const [id, { row }] of this.desk.live.rows('tickets')) {
      if (row.level === 'red' && row.unproposed_since != null && row.crew === null) found.push([id, row]);
    }
    return found.sort((a, b) => (a[1].unproposed_since ?? 0) - (b[1].unproposed_since ?? 0));
  });

  /** Tickets on which a crew asks for something, or that the desk has to take over, the longest waiting first. */
  readonly asking = $derived.by((): [string, TicketRow][] => {
    void this.desk.seen.tickets;
    void this.desk.seen.evidence;
    return asking(this.desk.live.rows('tickets'), this.desk.live.rows('evidence'));
  });

  /** What is known of the work on site of a ticket; null: nobody was there yet. */
  site(ticket: string): EvidenceRow | null {
    void this.desk.seen.evidence;
    return this.desk.live.rows('evidence').get(ticket)?.row ?? null;
  }

  /** Follows the live rows until the returned function is called. */
  start(): () => void {
    const stops = [this.hands.start(), this.#follow()];
    return () => {
      window.clearTimeout(this.#address);
      stops.forEach((stop) => stop());
    };
  }

  #follow(): () => void {
    return $effect.root(() => {
      $effect(() => {
        void this.desk.seen.tickets;
        untrack(() => this.#settle());
      });
      $effect(() => {
        const { within } = this.desk;
        untrack(() => {
          if (within !== '' && within !== this.selected) this.select(within);
        });
      });
      // What is read of the ticket follows its row: a step by another hand is seen here within moments.
      $effect(() => {
        const [id, row] = [this.selected, this.row];
        untrack(() => this.reading.follow(id, row));
      });
      $effect(() => {
        void this.desk.seen.proposals;
        const id = this.selected;
        untrack(() => this.proposing.follow(id));
      });
      $effect(() => this.hands.say(this.selected, this.mode === 'other' || this.move.active ? 'choosing' : this.mode === 'call_back' ? 'calling' : 'looking'));
    });
  }

  #wanted(): string[] {
    const words = searchWords(this.search);
    const kind = (code: string): string => word(i18n.t.kind, code);
    return listed(this.desk.live.rows('tickets'), this.list, (id, row) => matches(id, row, words, kind));
  }

  #settle(): void {
    const rows = this.desk.live.rows('tickets');
    const next = settle(this.shown, this.#wanted(), rows);
    this.#keep(next.ids);
    const same =
      next.fresh === this.shown.fresh &&
      next.gone.size === this.shown.gone.size &&
      next.ids.length === this.shown.ids.length &&
      next.ids.every((id, i) => id === this.shown.ids[i]) &&
      [...next.gone].every((id) => this.shown.gone.has(id));
    if (!same) this.shown = next;
    if (this.selected === null && next.ids.length > 0 && this.desk.within === '') this.select(next.ids[0]!);
  }

  #keep(ids: readonly string[]): void {
    const rows = this.desk.live.rows('tickets');
    const kept = new Map<string, TicketRow>();
    for (const id of ids) {
      const row = rows.get(id)?.row ?? this.kept.get(id);
      if (row !== undefined) kept.set(id, row);
    }
    this.kept = kept;
  }

  /** Shows the list as it is now. */
  take(): void {
    const ids = this.#wanted();
    this.#keep(ids);
    this.shown = { ids, gone: new Set(), fresh: 0 };
  }

  choose(list: List): void {
    if (list === this.list && this.search === '') {
      this.take();
      return;
    }
    this.list = list;
    this.search = '';
    this.take();
    if (this.selected === null || !this.shown.ids.includes(this.selected)) this.select(this.shown.ids[0] ?? null);
  }

  look(typed: string): void {
    this.search = typed;
    this.take();
    if (this.selected === null || !this.shown.ids.includes(this.selected)) this.select(this.shown.ids[0] ?? null);
  }

  select(id: string | null): void {
    if (id === this.selected) return;
    this.selected = id;
    this.mode = null;
    this.move.cancel();
    this.proposing.leave();
    this.desk.within = id ?? '';
    window.clearTimeout(this.#address);
    this.#address = window.setTimeout(() => {
      if (this.desk.view !== 'dispatch') return;
      const behind = this.selected === null ? '' : `/${encodeURIComponent(this.selected)}`;
      history.replaceState(null, '', `${location.pathname}${location.search}#dispatch${behind}`);
    }, ADDRESS_AFTER_MS);
  }

  step(by: number): void {
    const { ids } = this.shown;
    if (ids.length === 0) return;
    const at = this.selected === null ? -1 : ids.indexOf(this.selected);
    const to = at === -1 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by));
    this.select(ids[to]!);
  }

  /** After something was done with the selected ticket: to the next that waits. */
  next(): void {
    this.mode = null;
    if (this.selected !== null) this.select(neighbour(this.shown, this.selected));
  }

  /** One thing more is open: closes the innermost. False: nothing was. */
  back(): boolean {
    if (this.move.active) this.move.cancel();
    else if (this.mode === 'other' || (this.mode === null && (this.proposing.asked !== null || this.proposing.confirming))) {
      this.mode = null;
      this.proposing.leave();
    } else if (this.mode !== null) this.mode = null;
    else if (this.tracing) this.tracing = false;
    else if (this.search !== '') this.look('');
    else if (this.reads) this.reads = false;
    else return false;
    return true;
  }

  toggle(mode: Mode): void {
    this.mode = this.mode === mode ? null : mode;
  }
}
