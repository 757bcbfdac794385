// One command under way: sent once under its key, however often it is tried; what refused it stays to be read.
import { ApiError } from '../../lib/api';
import { ask, newKey } from '../api';

/** Whether the server may not have decided: the same call must then go under the same key. */
const undecided = (error: unknown): boolean => error instanceof ApiError && (error.status === 0 || error.status >= 500);

export class Work {
  busy = $state(false);
  problem = $state.raw<unknown>(null);
  #said = '';
  #key = '';

  async send<Answer>(path: string, body: unknown, within = 30_000): Promise<Answer | null> {
    if (this.busy) return null;
    const said = `${path} ${body instanceof Blob ? body.size : JSON.stringify(body)}`;
    if (said !== this.#said) [this.#said, this.#key] = [said, newKey()];
    this.busy = true;
    this.problem = null;
    try {
      const answer = await ask<Answer>('POST', path, body, { key: this.#key, within });
      this.#said = '';
      return answer;
    } catch (error) {
      if (!undecided(error)) this.#said = '';
      this.problem = error;
      return null;
    } finally {
      this.busy = false;
    }
  }

  forget(): void {
    this.problem = null;
  }
}
