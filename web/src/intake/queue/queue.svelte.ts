// A list that is read again and again and never jumps: new rows wait until they are asked for, settled ones stay in their place.
import { ask } from '../api';

export interface Page<Item> {
  items: Item[];
  next: string | null;
  total: number;
}

export const LIST_EVERY_MS = 4000;
const FIRST = 100;

type Read<Answer> = (path: string) => Promise<Answer>;

export class Queue<Item, Answer extends Page<Item> = Page<Item>> {
  items = $state.raw<readonly Item[]>([]);
  /** The newest answer as it came: totals and figures are of it. */
  answer = $state.raw<Answer | null>(null);
  /** How many rows wait to be shown. */
  fresh = $state(0);
  /** Shown, and no longer in the server's list. */
  gone = $state.raw<ReadonlySet<string>>(new Set());
  selected = $state<string | null>(null);
  /** Milliseconds of this machine's clock at the last answer. */
  readAt = $state<number | null>(null);
  problem = $state.raw<unknown>(null);
  readonly current = $derived(this.items.find((item) => this.idOf(item) === this.selected) ?? null);
  #path = '';
  #next: string | null = null;
  /** Those of the first page when it was taken: only of these can be told that they went. */
  #first: ReadonlySet<string> = new Set();
  #turn = 0;
  readonly idOf: (item: Item) => string;
  readonly #read: Read<Answer>;

  constructor(idOf: (item: Item) => string, read: Read<Answer> = (path) => ask('GET', path)) {
    this.idOf = idOf;
    this.#read = read;
  }

  get more(): boolean {
    return this.#next !== null;
  }

  /** Another list: what was shown is left. */
  async open(path: string): Promise<void> {
    if (path === this.#path) return;
    this.#path = path;
    this.items = [];
    this.answer = null;
    this.selected = null;
    this.readAt = null;
    await this.take();
  }

  /** Read until the returned function is called. */
  start(): () => void {
    const timer = window.setInterval(() => void this.refresh(), LIST_EVERY_MS);
    return () => window.clearInterval(timer);
  }

  /** The list as the server has it now, from its top. */
  async take(): Promise<void> {
    if (this.#path === '') return;
    const answer = await this.#ask();
    if (answer === null) return;
    const before = this.items.findIndex((item) => this.idOf(item) === this.selected);
    this.items = answer.items;
    this.#next = answer.next;
    this.#first = new Set(answer.items.map(this.idOf));
    this.fresh = 0;
    this.gone = new Set();
    // Not `current`: the view, and what is derived in it, may be gone when the answer comes.
    if (!answer.items.some((item) => this.idOf(item) === this.selected)) this.selected = this.#idAt(Math.max(before, 0));
  }

  /** What is known of the shown rows, without moving any of them. */
  async refresh(): Promise<void> {
    if (this.readAt === null || this.items.length === 0) return this.take();
    const answer = await this.#ask();
    if (answer === null) return;
    const now = new Map(answer.items.map((item) => [this.idOf(item), item]));
    const shown = new Set(this.items.map(this.idOf));
    this.items = this.items.map((item) => now.get(this.idOf(item)) ?? item);
    this.fresh = answer.items.filter((item) => !shown.has(this.idOf(item)) && !this.#isLater(item, shown)).length;
    this.gone = new Set([...this.#first].filter((id) => !now.has(id)));
  }

  /** The next page, below what is shown. */
  async next(): Promise<void> {
    const after = this.#next;
    if (after === null) return;
    const answer = await this.#ask(after);
    if (answer === null) return;
    const shown = new Set(this.items.map(this.idOf));
    this.items = [...this.items, ...answer.items.filter((item) => !shown.has(this.idOf(item)))];
    this.#next = answer.next;
  }

  /** One row as an answer to a command has it. */
  put(item: Item): void {
    const id = this.idOf(item);
    this.items = this.items.map((shown) => (this.idOf(shown) === id ? item : shown));
  }

  /** The row `step` further; the ends are ends. */
  move(step: number): void {
    const at = this.items.findIndex((item) => this.idOf(item) === this.selected);
    this.selected = this.#idAt(Math.min(Math.max(at + step, 0), this.items.length - 1));
  }

  /** A row that moved up from a later page, since rows before it went, is not new. */
  #isLater(item: Item, shown: ReadonlySet<string>): boolean {
    if (this.gone.size === 0 && shown.size < FIRST) return false;
    const page = this.answer?.items ?? [];
    const last = page.findLastIndex((one) => shown.has(this.idOf(one)));
    return this.#next !== null && page.indexOf(item) > last;
  }

  #idAt(index: number): string | null {
    const item = this.items[index] ?? this.items.at(-1);
    return item === undefined ? null : this.idOf(item);
  }

  async #ask(after?: string): Promise<Answer | null> {
    const turn = ++this.#turn;
    const path = `${this.#path}${this.#path.includes('?') ? '&' : '?'}limit=${FIRST}`;
    try {
      const answer = await this.#read(after === undefined ? path : `${path}&after=${encodeURIComponent(after)}`);
      if (turn !== this.#turn) return null;
      if (after === undefined) this.answer = answer;
      this.readAt = Date.now();
      this.problem = null;
      return answer;
    } catch (error) {
      if (turn === this.#turn) this.problem = error;
      return null;
    }
  }
}

/** One record by its path, read again with every refresh of its list. */
export class Detail<Answer> {
  answer = $state.raw<Answer | null>(null);
  problem = $state.raw<unknown>(null);
  #path: string | null = null;

  async show(path: string | null): Promise<void> {
    if (path !== this.#path) {
      this.#path = path;
      this.answer = null;
      this.problem = null;
    }
    if (path === null) return;
    try {
      const answer = await ask<Answer>('GET', path);
      if (path === this.#path) [this.answer, this.problem] = [answer, null];
    } catch (error) {
      if (path === this.#path) this.problem = error;
    }
  }

  start(everyMs = LIST_EVERY_MS): () => void {
    const timer = window.setInterval(() => void this.show(this.#path), everyMs);
    return () => window.clearInterval(timer);
  }

  again(): Promise<void> {
    return this.show(this.#path);
  }
}
