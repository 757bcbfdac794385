// The phone's own store, in IndexedDB: what was said and not yet heard, photos, fixes, and the last word of the server.
import type { Fix, Op } from './types';

const NAME = 'heatops-crew';
const STORES = ['ops', 'photos', 'fixes', 'kept'] as const;
type Store = (typeof STORES)[number];

/** A fix with its number; numbers rise. */
export interface KeptFix extends Fix {
  id: number;
}

const asked = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((yes, no) => {
    request.onsuccess = () => yes(request.result);
    request.onerror = () => no(request.error);
  });

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    const db = request.result;
    db.createObjectStore('ops', { keyPath: 'id', autoIncrement: true });
    db.createObjectStore('photos');
    db.createObjectStore('fixes', { keyPath: 'id', autoIncrement: true });
    db.createObjectStore('kept');
  };
  return asked(request);
}

let opened: Promise<IDBDatabase> | null = null;

/** The one connection; a new one where the browser refused or closed it. */
async function connection(): Promise<IDBDatabase> {
  opened ??= open();
  try {
    const db = await opened;
    db.onclose = () => (opened = null);
    return db;
  } catch (error) {
    opened = null;
    throw error;
  }
}

/** Runs `work` in one transaction; the promise keeps only once it is on disk. */
async function once<T>(
  stores: readonly Store[],
  mode: IDBTransactionMode,
  work: (store: (name: Store) => IDBObjectStore) => Promise<T>,
): Promise<T> {
  const transaction = (await connection()).transaction(stores, mode, { durability: mode === 'readwrite' ? 'strict' : 'default' });
  const over = new Promise<void>((yes, no) => {
    transaction.oncomplete = () => yes();
    transaction.onabort = () => no(transaction.error);
    transaction.onerror = () => no(transaction.error);
  });
  const [result] = await Promise.all([work((name) => transaction.objectStore(name)), over]);
  return result;
}

/** The phone has no room left for what was to be kept. */
export const isFull = (error: unknown): boolean => error instanceof DOMException && error.name === 'QuotaExceededError';

/** The server has them: nothing needs the bytes any more. */
async function dropSent(store: (name: Store) => IDBObjectStore): Promise<void> {
  const sent = (await asked<Op[]>(store('ops').getAll())).filter((op) => op.what === 'photo' && op.state === 'done');
  await Promise.all(sent.map((op) => asked(store('photos').delete(op.key))));
}

/** As `once`; where the phone is full, room is made and it is tried once more. */
async function within<T>(
  stores: readonly Store[],
  mode: IDBTransactionMode,
  work: (store: (name: Store) => IDBObjectStore) => Promise<T>,
): Promise<T> {
  try {
    return await once(stores, mode, work);
  } catch (error) {
    if (mode === 'readonly' || !isFull(error)) throw error;
    await once(['ops', 'photos'], 'readwrite', dropSent);
    return once(stores, mode, work);
  }
}

/** Whether this browser lets the app keep anything at all. */
export const opens = (): Promise<boolean> =>
  connection().then(
    () => true,
    () => false,
  );

type Fresh<O> = O extends Op ? Omit<O, 'id'> : never;

/** A new op, with its photo if it has one: both or neither. */
export const addOp = (op: Fresh<Op>, photo: ArrayBuffer | null): Promise<number> =>
  within(['ops', 'photos'], 'readwrite', async (store) => {
    if (photo !== null) await asked(store('photos').put(photo, op.key));
    return Number(await asked(store('ops').add(op)));
  });

export const ops = (): Promise<Op[]> => within(['ops'], 'readonly', (store) => asked<Op[]>(store('ops').getAll()));

export const opById = (id: number): Promise<Op | undefined> =>
  within(['ops'], 'readonly', (store) => asked<Op | undefined>(store('ops').get(id)));

/** Changes an op as it stands now, unless it was dropped meanwhile; one that is done leaves no photo behind. */
export const changeOp = (id: number, change: Partial<Op>): Promise<Op | null> =>
  within(['ops', 'photos'], 'readwrite', async (store) => {
    const op = await asked<Op | undefined>(store('ops').get(id));
    if (op === undefined) return null;
    const next = { ...op, ...change } as Op;
    await asked(store('ops').put(next));
    if (next.state === 'done') await asked(store('photos').delete(next.key));
    return next;
  });

/** Changes an op and puts it behind all that was said so far. */
export const putLast = (id: number, change: Partial<Op>): Promise<void> =>
  within(['ops'], 'readwrite', async (store) => {
    const op = await asked<Op | undefined>(store('ops').get(id));
    if (op === undefined) return;
    const { id: _, ...rest } = { ...op, ...change };
    await asked(store('ops').delete(id));
    await asked(store('ops').add(rest));
  });

/** The photo goes under the op's new key with it. */
export const rekeyOp = (id: number, change: Partial<Op> & { key: string }): Promise<void> =>
  within(['ops', 'photos'], 'readwrite', async (store) => {
    const op = await asked<Op | undefined>(store('ops').get(id));
    if (op === undefined) return;
    const photo = await asked<ArrayBuffer | undefined>(store('photos').get(op.key));
    if (photo !== undefined) {
      await asked(store('photos').put(photo, change.key));
      await asked(store('photos').delete(op.key));
    }
    await asked(store('ops').put({ ...op, ...change }));
  });

export const dropOp = (op: Op): Promise<void> =>
  within(['ops', 'photos'], 'readwrite', async (store) => {
    await asked(store('photos').delete(op.key));
    await asked(store('ops').delete(op.id));
  });

export const photo = (key: string): Promise<ArrayBuffer | undefined> =>
  within(['photos'], 'readonly', (store) => asked<ArrayBuffer | undefined>(store('photos').get(key)));

export const addFix = (fix: Fix): Promise<unknown> =>
  within(['fixes'], 'readwrite', (store) => asked(store('fixes').add(fix)));

export const fixes = (most: number): Promise<KeptFix[]> =>
  within(['fixes'], 'readonly', (store) => asked<KeptFix[]>(store('fixes').getAll(null, most)));

export const fixCount = (): Promise<number> => within(['fixes'], 'readonly', (store) => asked(store('fixes').count()));

export const dropFixes = (ids: readonly number[]): Promise<void> =>
  within(['fixes'], 'readwrite', async (store) => {
    await Promise.all(ids.map((id) => asked(store('fixes').delete(id))));
  });

export const kept = <T>(name: string): Promise<T | undefined> =>
  within(['kept'], 'readonly', (store) => asked<T | undefined>(store('kept').get(name)));

export const keep = (name: string, value: unknown): Promise<unknown> =>
  within(['kept'], 'readwrite', (store) => asked(store('kept').put(value, name)));

/** Keeps it unless something is kept under the name; what is kept then. */
export const keepFirst = <T>(name: string, value: T): Promise<T> =>
  within(['kept'], 'readwrite', async (store) => {
    const found = await asked<T | undefined>(store('kept').get(name));
    if (found === undefined) await asked(store('kept').put(value, name));
    return found ?? value;
  });

const USED_MOST = 500;

/** The first of these one-time words that no tab of the phone has used; it is used from now on. */
export const takeNonce = (offered: readonly string[]): Promise<string | null> =>
  within(['kept'], 'readwrite', async (store) => {
    const used = (await asked<string[] | undefined>(store('kept').get('nonces'))) ?? [];
    const nonce = offered.find((one) => !used.includes(one)) ?? null;
    if (nonce !== null) await asked(store('kept').put([...used, nonce].slice(-USED_MOST), 'nonces'));
    return nonce;
  });

/** Everything but the phone's key, which stays its own. */
export const forgetAll = (): Promise<void> =>
  within(STORES, 'readwrite', async (store) => {
    const key = await asked<unknown>(store('kept').get('key'));
    await Promise.all(STORES.map((name) => asked(store(name).clear())));
    if (key !== undefined) await asked(store('kept').put(key, 'key'));
  });
