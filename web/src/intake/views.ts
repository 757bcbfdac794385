// The views of the page, in the order of their number keys. A view is added by one entry here: its id is its hash.
import type { Component } from 'svelte';
import { ask } from './api';
import type { Desk } from './desk.svelte';
import type { ShellWords } from './words.svelte';

export type ViewId = 'call' | 'suspensions' | 'addresses' | 'cases' | 'contradictions' | 'imports' | 'reminders';

/** How much of a view needs a person; `late`: some of it is past its time, shown red. */
export interface Waiting {
  count: number;
  late: number;
}

export interface View {
  id: ViewId;
  name(w: ShellWords): string;
  /** Loaded when it is first shown; it is given the desk and must bear being unmounted at any time. */
  load(): Promise<{ default: Component<{ desk: Desk }> }>;
  /** Asked every ten seconds; a refusal leaves the tab without a figure. */
  waiting?(): Promise<Waiting>;
}

/** Counts of two lists: all that wait, and those of them that are late. */
export async function totals(all: string, late: string): Promise<Waiting> {
  const [count, over] = await Promise.all(
    [all, late].map((path) => ask<{ total: number }>('GET', path)),
  );
  return { count: count!.total, late: over!.total };
}

export const VIEWS: readonly View[] = [
  {
    id: 'call',
    name: (w) => w.viewCall,
    load: () => import('./call/CallView.svelte'),
    // Nobody has spoken with them yet.
    waiting: () => totals('/api/tickets?state=received&limit=1', '/api/tickets?state=received&overdue=true&limit=1'),
  },
];
