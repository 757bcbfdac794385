// When a page whose drawing context does not come back may be loaded anew; nothing here reads a clock.

/** A context that is not back by then will not come by itself. */
export const CONTEXT_PATIENCE_MS = 20_000;
/** A machine that keeps losing its context must not load the page in a circle. */
const AT_MOST_EVERY_MS = 600_000;
const STORED = 'heatops.context-reload';

/** Milliseconds to wait before the page is loaded anew; `last`: when that was done before, or null. */
export function patience(last: number | null, now: number): number {
  if (last === null || last > now) return CONTEXT_PATIENCE_MS;
  return Math.max(CONTEXT_PATIENCE_MS, last + AT_MOST_EVERY_MS - now);
}

export function lastReload(): number | null {
  const stored = sessionStorage.getItem(STORED);
  return stored === null ? null : Number(stored);
}

export function reload(now: number): void {
  sessionStorage.setItem(STORED, String(now));
  location.reload();
}
