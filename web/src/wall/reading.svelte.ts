// One answer of the server that a panel waits for; of several questions only the last one counts.

export class Reading<Answer> {
  answer = $state.raw<Answer | null>(null);
  error = $state.raw<unknown>(null);
  #asked = 0;

  /** The former answer stands until the new one is there. */
  async read(call: Promise<Answer>): Promise<void> {
    const asked = (this.#asked += 1);
    try {
      const answer = await call;
      if (asked === this.#asked) [this.answer, this.error] = [answer, null];
    } catch (error) {
      if (asked === this.#asked) [this.answer, this.error] = [null, error];
    }
  }

  forget(): void {
    this.#asked += 1;
    [this.answer, this.error] = [null, null];
  }
}
