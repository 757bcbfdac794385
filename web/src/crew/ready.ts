// Whether this browser, at this address, can carry the app at all.

/** insecure: not over https; old: a part of the browser is missing; store: nothing can be kept on the phone. */
export type Lack = 'insecure' | 'old' | 'store';

export interface Ground {
  secure: boolean;
  /** What the browser must bring along; undefined where it does not. */
  parts: readonly unknown[];
  keeps: () => Promise<boolean>;
}

/** What the app cannot do without and does not find; null where all is there. */
export async function lacking({ secure, parts, keeps }: Ground): Promise<Lack | null> {
  if (!secure) return 'insecure';
  if (parts.includes(undefined)) return 'old';
  return (await keeps()) ? null : 'store';
}
