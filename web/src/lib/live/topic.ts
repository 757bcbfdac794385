// One topic's rows at one (epoch, seq), changed only by whole snapshots and whole batches.
import type { Batch, Since, Snap, TopicTick } from '../wire';
import { TopicHash } from './hash';

export interface Entry<Row> {
  version: number;
  row: Row;
}

/** What a snapshot or batch did: `full` means every row may differ. */
export interface Change {
  full: boolean;
  put: string[];
  drop: string[];
}

/** `gap`: ask again from our position; `wrong`: our rows are not the server's, ask for a snapshot. */
export type Verdict = { kind: 'applied'; change: Change } | { kind: 'ignored' | 'gap' | 'wrong' };

export class TopicState<Row> {
  rows = new Map<string, Entry<Row>>();
  position: Since | null = null;
  asOf: number | null = null;
  sourceAt: number | null = null;
  cadenceS: number | null = null;
  #hash = new TopicHash();

  snapshot(snap: Snap): Verdict {
    const rows = new Map<string, Entry<Row>>();
    const hash = new TopicHash();
    for (const put of snap.rows) {
      rows.set(put.key, { version: put.version, row: put.row as Row });
      hash.add(put.key, put.version);
    }
    if (hash.digest() !== snap.hash) return { kind: 'wrong' };
    this.rows = rows;
    this.#hash = hash;
    this.position = { epoch: snap.epoch, seq: snap.seq };
    this.asOf = snap.as_of;
    this.sourceAt = snap.source_at;
    this.cadenceS = snap.cadence_s;
    return { kind: 'applied', change: { full: true, put: [], drop: [] } };
  }

  batch(batch: Batch): Verdict {
    const have = this.position;
    if (have === null || batch.epoch !== have.epoch || batch.seq_from > have.seq) return { kind: 'gap' };
    if (batch.seq_to <= have.seq) return { kind: 'ignored' };
    for (const put of batch.put) {
      const old = this.rows.get(put.key);
      if (old !== undefined) this.#hash.remove(put.key, old.version);
      this.rows.set(put.key, { version: put.version, row: put.row as Row });
      this.#hash.add(put.key, put.version);
    }
    for (const key of batch.drop) {
      const old = this.rows.get(key);
      if (old === undefined) continue;
      this.#hash.remove(key, old.version);
      this.rows.delete(key);
    }
    this.position = { epoch: have.epoch, seq: batch.seq_to };
    this.asOf = batch.as_of;
    if (this.#hash.digest() !== batch.hash) return { kind: 'wrong' };
    const change = { full: false, put: batch.put.map((put) => put.key), drop: batch.drop };
    return { kind: 'applied', change };
  }

  /** Takes over the times; compares the hash only at the same (epoch, seq). `ahead`: the tick is of an older picture. */
  tick(tick: TopicTick): 'same' | 'ahead' | 'behind' | 'wrong' {
    this.sourceAt = tick.source_at;
    this.cadenceS = tick.cadence_s;
    const have = this.position;
    if (have === null || have.epoch !== tick.epoch || have.seq < tick.seq) return 'behind';
    if (have.seq > tick.seq) return 'ahead';
    if (this.#hash.digest() !== tick.hash) return 'wrong';
    // Only a picture that is at the tick's sequence is as fresh as the tick says. It may go back:
    // a server whose clock was set back must not make an old picture look fresh.
    this.asOf = tick.as_of;
    return 'same';
  }
}
