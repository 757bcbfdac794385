// The hash of a topic: two 32-bit lanes, each the sum modulo 2^32 of its rows' lanes (ARCHITECTURE.md, "Live").

const SEEDS = [0x811c9dc5, 0x9e3779b9] as const;
const encoder = new TextEncoder();

function lane(bytes: Uint8Array, seed: number): number {
  let h = seed;
  for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A running sum over rows; rows are added and taken away in any order. */
export class TopicHash {
  #lanes: [number, number] = [0, 0];

  add(key: string, version: number): void {
    const bytes = encoder.encode(`${key}\0${version}`);
    this.#lanes = [
      (this.#lanes[0] + lane(bytes, SEEDS[0])) >>> 0,
      (this.#lanes[1] + lane(bytes, SEEDS[1])) >>> 0,
    ];
  }

  remove(key: string, version: number): void {
    const bytes = encoder.encode(`${key}\0${version}`);
    this.#lanes = [
      (this.#lanes[0] - lane(bytes, SEEDS[0])) >>> 0,
      (this.#lanes[1] - lane(bytes, SEEDS[1])) >>> 0,
    ];
  }

  /** 16 hex digits: lane 1, then lane 2. */
  digest(): string {
    return this.#lanes.map((value) => value.toString(16).padStart(8, '0')).join('');
  }
}
