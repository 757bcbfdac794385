// The views of the desk, in the order of their number keys. A view is added by one entry here: its id is its hash.
import type { View } from '../lib/views';
import type { Desk } from './desk.svelte';
import type { ShellWords } from './words.svelte';

export type ViewId = 'dispatch' | 'handover' | 'report' | 'evidence' | 'phones';

export const VIEWS: readonly View<ViewId, ShellWords, Desk>[] = [
  { id: 'dispatch', name: (w) => w.viewDispatch, load: () => import('./board/BoardView.svelte') },
  { id: 'handover', name: (w) => w.viewHandover, load: () => import('./shift/HandoverView.svelte') },
  { id: 'report', name: (w) => w.viewReport, load: () => import('./shift/ReportView.svelte') },
  { id: 'evidence', name: (w) => w.viewEvidence, load: () => import('./evidence/EvidenceView.svelte') },
  { id: 'phones', name: (w) => w.viewPhones, load: () => import('./phones/PhonesView.svelte') },
];
