// A phone's browser in memory: as much of IndexedDB as the app uses, one transaction after another, each all or nothing; one
// lock for all tabs; and their channel.
import { vi } from 'vitest';

interface Store {
  rows: Map<IDBValidKey, unknown>;
  keyPath: string | null;
  next: number;
}

type Work = () => unknown;

class Request {
  result: unknown;
  error: DOMException | null = null;
  onsuccess: (() => void) | null = null;
  onerror: (() => void) | null = null;
}

const turn = (): Promise<void> => new Promise((yes) => setTimeout(yes, 0));
const bytes = (value: unknown): number => (value instanceof ArrayBuffer ? value.byteLength : 0);

export class Phone {
  readonly stores = new Map<string, Store>();
  /** How many bytes of photos there is room for. */
  room = Infinity;
  #last: Promise<void> = Promise.resolve();

  /** What a tab finds as its globals. */
  globals(fetch: typeof globalThis.fetch): void {
    const listen = { addEventListener: () => undefined, removeEventListener: () => undefined };
    vi.stubGlobal('indexedDB', { open: () => this.#open() });
    vi.stubGlobal('navigator', { onLine: true, locks: this.#locks() });
    vi.stubGlobal('window', { ...listen, setInterval: () => 0, clearInterval: () => undefined });
    vi.stubGlobal('document', { ...listen, hidden: false });
    vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
    vi.stubGlobal('fetch', fetch);
  }

  #locks(): unknown {
    let held = false;
    return {
      request: async (_: string, __: unknown, work: (lock: object | null) => Promise<void>) => {
        if (held) return work(null);
        held = true;
        return work({}).finally(() => (held = false));
      },
    };
  }

  #open(): Request & { onupgradeneeded: (() => void) | null } {
    const request = Object.assign(new Request(), { onupgradeneeded: null as (() => void) | null });
    request.result = {
      createObjectStore: (name: string, { keyPath = null as string | null } = {}) =>
        this.stores.set(name, { rows: new Map(), keyPath, next: 1 }),
      transaction: () => this.#transaction(),
    };
    void turn().then(() => {
      if (this.stores.size === 0) request.onupgradeneeded?.();
      request.onsuccess?.();
    });
    return request;
  }

  #transaction(): unknown {
    const asked: [Request, Work][] = [];
    const transaction = {
      error: null as DOMException | null,
      oncomplete: null as (() => void) | null,
      onabort: null as (() => void) | null,
      onerror: null as (() => void) | null,
      objectStore: (name: string) => this.#store(name, (work) => {
        const request = new Request();
        asked.push([request, work]);
        return request;
      }),
    };
    const run = async (): Promise<void> => {
      const before = [...this.stores].map(([name, store]) => [name, { ...store, rows: new Map(store.rows) }] as const);
      for (let next = asked.shift(); next !== undefined; next = asked.shift()) {
        const [request, work] = next;
        try {
          request.result = work();
        } catch (error) {
          request.error = transaction.error = error as DOMException;
          for (const [name, store] of before) this.stores.set(name, store);
          request.onerror?.();
          transaction.onabort?.();
          return;
        }
        request.onsuccess?.();
        await turn();
      }
      transaction.oncomplete?.();
    };
    this.#last = this.#last.then(turn).then(run);
    return transaction;
  }

  #store(name: string, ask: (work: Work) => Request): unknown {
    const store = (): Store => this.stores.get(name)!;
    const put = (value: unknown, key?: IDBValidKey): IDBValidKey => {
      const { keyPath, rows } = store();
      const own = keyPath === null ? undefined : (value as Record<string, IDBValidKey>)[keyPath];
      const at = key ?? own ?? (store().next += 1);
      const used = [...rows].reduce((sum, [other, row]) => sum + (other === at ? 0 : bytes(row)), bytes(value));
      if (used > this.room) throw new DOMException('full', 'QuotaExceededError');
      rows.set(at, structuredClone(keyPath === null ? value : { ...(value as object), [keyPath]: at }));
      return at;
    };
    const all = (): unknown[] => [...store().rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => structuredClone(row));
    return {
      get: (key: IDBValidKey) => ask(() => structuredClone(store().rows.get(key))),
      getAll: () => ask(all),
      put: (value: unknown, key?: IDBValidKey) => ask(() => put(value, key)),
      add: (value: unknown) => ask(() => put(value)),
      delete: (key: IDBValidKey) => ask(() => void store().rows.delete(key)),
      clear: () => ask(() => store().rows.clear()),
      count: () => ask(() => store().rows.size),
    };
  }
}
