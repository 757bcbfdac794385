// The phone's Back button closes what is open, one thing at a time, instead of leaving the app.

interface Closed {
  close: () => void;
}

/** One entry of the history for each thing that is open. */
export class BackButton {
  #open: Closed[] = [];
  #entries: number;
  #leaving = false;
  #settling = false;
  readonly #history: Pick<History, 'pushState' | 'go'>;

  /** `entries`: those of ours that an earlier load of the page left. */
  constructor(history: Pick<History, 'pushState' | 'go'>, entries: number) {
    this.#history = history;
    this.#entries = entries;
    this.#later();
  }

  /** Something was opened over the page; the answer is to be called once it is gone. */
  opened(close: () => void): () => void {
    const one = { close };
    this.#open.push(one);
    this.#later();
    return () => {
      this.#open = this.#open.filter((other) => other !== one);
      this.#later();
    };
  }

  /** The browser went to the entry above which `entries` of ours lie. */
  went(entries: number): void {
    this.#entries = entries;
    if (this.#leaving) this.#leaving = false;
    else {
      const gone = this.#open.slice(entries).reverse();
      this.#open = this.#open.slice(0, entries);
      for (const one of gone) one.close();
    }
    this.#later();
  }

  /** One sheet in place of another is no step of the history. */
  #later(): void {
    if (this.#settling) return;
    this.#settling = true;
    queueMicrotask(() => {
      this.#settling = false;
      this.#settle();
    });
  }

  #settle(): void {
    if (this.#leaving) return;
    while (this.#entries < this.#open.length) this.#history.pushState({ opened: (this.#entries += 1) }, '');
    if (this.#entries === this.#open.length) return;
    this.#leaving = true;
    this.#history.go(this.#open.length - this.#entries);
  }
}

const entriesOf = (state: unknown): number => Number((state as { opened?: number } | null)?.opened ?? 0);

let button: BackButton | null = null;

/** Lets the Back button close it, for as long as it is there. */
export function closedByBack(close: () => void): () => void {
  if (button === null) {
    const made = new BackButton(history, entriesOf(history.state));
    window.addEventListener('popstate', (event) => made.went(entriesOf(event.state)));
    button = made;
  }
  return button.opened(close);
}
