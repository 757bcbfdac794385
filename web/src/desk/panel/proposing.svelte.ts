// The proposal for the selected ticket, another crew's price, and the confirmation of one of them.
import { ApiError } from '../../lib/api';
import type { Choice, ProposalRow } from '../../lib/wire';
import { Work } from '../../intake/queue/work.svelte';
import { askPrice, commandPath, engineAway, readProposal, readTicket } from '../api';
import type { DispatchBody, PriceAnswer, PriceOf, ProposalAnswer, Ticket } from '../api';
import type { Board } from '../board/board.svelte';

const SETTLED_MS = 120;
const PRICE_AFTER_MS = 150;
/** How long what was just done may be taken back with one key. */
export const UNDO_MS = 20_000;

/** Another crew that a person thinks of, with what it costs once that is known. */
export interface Asked extends PriceOf {
  crew_name: string;
  /** Among the proposed ones, from 1; its price is known already. */
  rank: number | null;
  /** It would leave its site, made safe. */
  safe?: boolean;
  answer: PriceAnswer | null;
  problem: unknown;
}

/** What stands instead of the proposal, or the price, that a confirmation went by. */
interface Present {
  decision: string;
  plan: number;
  ticket_version: number;
  policy: string;
  proposal: Omit<ProposalAnswer, 'crews' | 'decision' | 'plan' | 'ticket_version' | 'policy'> | null;
  priced: PriceAnswer | null;
}

export interface Done {
  ticket: string;
  address: string;
  crew_name: string;
  version: number;
  at: number;
}

export class Proposing {
  /** As the engine told everybody. */
  row = $state.raw<ProposalRow | null>(null);
  /** As asked for this ticket: also names the rule of every crew. */
  answer = $state.raw<ProposalAnswer | null>(null);
  /** The engine did not answer: assignment goes on by hand. */
  away = $state(false);
  /** The crew that is looked at instead of the best. */
  asked = $state.raw<Asked | null>(null);
  /** The last attempt met another proposal; the present one is shown. */
  changed = $state(false);
  /** Tickets that would give way, with the version each was seen in; null: not read yet. */
  giving = $state.raw<{ ticket: string; version: number }[] | null>(null);
  /** A confirmation that names who gives way waits for a second Enter. */
  confirming = $state(false);
  done = $state.raw<Done | null>(null);
  readonly work = new Work();
  readonly undoing = new Work();
  #board: Board;
  #id: string | null = null;
  #timer: number | undefined;
  #priceTimer: number | undefined;
  #undoTimer: number | undefined;

  constructor(board: Board) {
    this.#board = board;
  }

  readonly proposal = $derived.by((): ProposalRow | ProposalAnswer | null => {
    if (this.row === null) return this.answer;
    return this.answer !== null && this.answer.made_at > this.row.made_at ? this.answer : this.row;
  });

  readonly best = $derived(this.proposal?.choices[0] ?? null);
  /** Where nobody can be there in time: a crew that would have to leave its site, made safe, for it. */
  readonly safeFirst = $derived(this.answer?.safe_first ?? null);
  /** What Enter would confirm. */
  readonly choice = $derived.by((): Choice | null => (this.asked === null ? this.best : (this.asked.answer?.choice ?? null)));

  follow(id: string | null): void {
    const row = id === null ? null : (this.#board.desk.live.rows('proposals').get(id)?.row ?? null);
    if (id === this.#id && row?.decision === this.row?.decision) return;
    if (id !== this.#id) {
      this.answer = null;
      this.away = false;
      this.changed = false;
      this.work.forget();
    }
    this.#id = id;
    this.row = row;
    window.clearTimeout(this.#timer);
    if (id !== null) this.#timer = window.setTimeout(() => void this.#read(), SETTLED_MS);
  }

  /** Read only where the ticket waits for a crew: a person may also ask for another one later. */
  async #read(): Promise<void> {
    const id = this.#id;
    const state = this.#board.row?.state;
    if (id === null || (state !== 'accepted' && state !== 'dispatched' && state !== 'confirmed')) return;
    try {
      const answer = await readProposal(id);
      if (id !== this.#id) return;
      this.answer = answer;
      this.away = false;
    } catch (error) {
      if (id === this.#id && engineAway(error)) this.away = true;
    }
  }

  /** Thinks of another crew, or of another time: its price is asked before anything is done. */
  think(of: PriceOf, crewName: string, rank: number | null = null): void {
    const id = this.#id;
    window.clearTimeout(this.#priceTimer);
    this.confirming = false;
    this.giving = null;
    this.work.forget();
    const known = rank === null || of.start_at !== undefined ? null : (this.proposal?.choices[rank - 1] ?? null);
    const answer = known === null ? null : { choice: known, price: null, against: this.best, refused_by: null };
    this.asked = { ...of, crew_name: crewName, rank, answer, problem: null };
    if (known === null && id !== null) {
      this.#priceTimer = window.setTimeout(() => void this.#price(id, of), PRICE_AFTER_MS);
    }
  }

  /** Looks at a proposed crew, from 1. The best is what Enter confirms anyway, unless one would leave its site for it. */
  look(rank: number): void {
    const choice = this.proposal?.choices[rank - 1];
    if (choice === undefined) return;
    if (rank === 1 && this.safeFirst === null) this.leave();
    else this.think({ crew: choice.crew }, choice.crew_name, rank);
  }

  /** Thinks of the crew that would leave its site: what that costs was said with the proposal. */
  thinkSafe(): void {
    const choice = this.safeFirst;
    if (choice === null) return;
    this.leave();
    this.asked = {
      crew: choice.crew, crew_name: choice.crew_name, rank: null, safe: true, problem: null,
      answer: { choice, price: null, against: null, refused_by: null, decision: this.answer?.decision ?? null },
    };
  }

  async #price(id: string, of: PriceOf): Promise<void> {
    const still = (): boolean =>
      id === this.#id && this.asked !== null && this.asked.crew === of.crew && this.asked.start_at === of.start_at;
    try {
      const answer = await askPrice(id, of);
      if (still()) this.asked = { ...this.asked!, answer };
    } catch (problem) {
      if (!still()) return;
      this.asked = { ...this.asked!, problem };
      if (engineAway(problem)) this.away = true;
    }
  }

  /** Back to the best. */
  leave(): void {
    window.clearTimeout(this.#priceTimer);
    this.asked = null;
    this.confirming = false;
    this.giving = null;
    this.work.forget();
  }

  /** The decision that the person saw: of the price for another crew, else of the proposal. */
  #decision(): string | undefined {
    return this.asked?.answer?.decision ?? this.proposal?.decision ?? undefined;
  }

  /** The first Enter where others must give way: each is named, with its version, before anything is sent. */
  async #askFirst(choice: Choice): Promise<void> {
    this.confirming = true;
    this.giving = null;
    try {
      const found = await Promise.all(choice.displaced.map((one) => readTicket(one.ticket)));
      this.giving = found.map(({ ticket }) => ({ ticket: ticket.id, version: ticket.version }));
    } catch (problem) {
      this.work.problem = problem;
    }
  }

  /** Gives the ticket to the chosen crew. `true`: it has it now. */
  async confirm(why: { reason_code?: string; reason?: string; made_safe?: boolean } = {}): Promise<boolean> {
    const [id, board] = [this.#id, this.#board];
    const row = board.row;
    const crew = this.asked?.crew ?? this.best?.crew;
    if (id === null || row === null || crew === undefined || this.work.busy) return false;
    const choice = this.choice;
    if (choice !== null && choice.displaced.length > 0 && !this.confirming) {
      void this.#askFirst(choice);
      return false;
    }
    if (this.confirming && this.giving === null) return false;
    const version = board.reading.version ?? this.proposal?.ticket_version;
    if (version === undefined) return false;
    const body: DispatchBody = { version, crew, ...why };
    const decision = this.#decision();
    if (decision !== undefined && choice !== null) body.decision = decision;
    if (choice?.with_crew != null) body.with_crew = choice.with_crew;
    if (this.giving !== null && this.giving.length > 0) body.displace = this.giving;
    const answer = await this.work.send<Ticket>(commandPath(id, 'dispatch'), body);
    if (answer === null) {
      this.#met(this.work.problem);
      return false;
    }
    this.#done({ ticket: id, address: row.address, crew_name: answer.crew_name ?? crew, version: answer.version, at: Date.now() });
    this.leave();
    this.changed = false;
    return true;
  }

  /** A refusal that says how things stand now: shown, never overwritten. */
  #met(problem: unknown): void {
    if (!(problem instanceof ApiError) || problem.status !== 409) return;
    this.confirming = false;
    this.giving = null;
    if (problem.code === 'proposal_changed') {
      const present = problem.present?.['proposal'] as Present | undefined;
      const { proposal, priced, ...of } = present ?? { proposal: null, priced: null, decision: '', plan: 0, ticket_version: 0, policy: '' };
      if (proposal !== null) this.answer = { ...proposal, ...of, crews: this.answer?.crews ?? [] };
      if (priced !== null && this.asked !== null) this.asked = { ...this.asked, answer: { ...priced, decision: of.decision } };
      else this.asked = null;
      this.changed = true;
    }
    void this.#board.reading.read();
    void this.#read();
  }

  #done(done: Done): void {
    window.clearTimeout(this.#undoTimer);
    this.undoing.forget();
    this.done = done;
    this.#undoTimer = window.setTimeout(() => (this.done = null), UNDO_MS);
  }

  /** Takes the last assignment back: the ticket waits again. */
  async undo(): Promise<void> {
    const done = this.done;
    if (done === null) return;
    const body = { version: done.version, reason_code: 'by_hand' };
    const answer = await this.undoing.send<Ticket>(commandPath(done.ticket, 'displace'), body);
    if (answer === null) return;
    this.done = null;
    this.#board.select(done.ticket);
  }
}
