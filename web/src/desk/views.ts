// The views of the desk, in the order of their number keys. A view is added by one entry here: its id is its hash.
import type { Component } from 'svelte';
import type { Desk } from './desk.svelte';
import type { ShellWords } from './words.svelte';

export type ViewId = 'dispatch' | 'handover' | 'report';

export interface View {
  id: ViewId;
  name(w: ShellWords): string;
  /** Loaded when it is first shown; it is given the desk and must bear being unmounted at any time. */
  load(): Promise<{ default: Component<{ desk: Desk }> }>;
}

export const VIEWS: readonly View[] = [
  { id: 'dispatch', name: (w) => w.viewDispatch, load: () => import('./board/BoardView.svelte') },
  { id: 'handover', name: (w) => w.viewHandover, load: () => import('./shift/HandoverView.svelte') },
  { id: 'report', name: (w) => w.viewReport, load: () => import('./shift/ReportView.svelte') },
];
