// The views of the page, in the order of their number keys. A view is added by one entry here: its id is its hash.
import type { View } from '../lib/views';
import { ask } from './api';
import type { Desk } from './desk.svelte';
import type { Summary } from './suspensions/types';
import type { ShellWords } from './words.svelte';

export type ViewId = 'call' | 'suspensions' | 'addresses' | 'cases' | 'contradictions' | 'imports' | 'reminders';

/** How much of a view needs a person; `late`: some of it is past its time, shown red. */
export interface Waiting {
  count: number;
  late: number;
}

interface WaitedFor extends View<ViewId, ShellWords, Desk> {
  /** Asked every ten seconds; a refusal leaves the tab without a figure. */
  waiting?(): Promise<Waiting>;
}

const total = async (path: string): Promise<number> => (await ask<{ total: number }>('GET', path)).total;

/** Counts of two lists: all that wait, and those of them that are late. */
export async function totals(all: string, late: string): Promise<Waiting> {
  const [count, over] = await Promise.all([total(all), total(late)]);
  return { count, late: over };
}

export const VIEWS: readonly WaitedFor[] = [
  {
    id: 'call',
    name: (w) => w.viewCall,
    load: () => import('./call/CallView.svelte'),
    // Nobody has spoken with them yet.
    waiting: () => totals('/api/tickets?state=received&limit=1', '/api/tickets?state=received&overdue=true&limit=1'),
  },
  {
    id: 'suspensions',
    name: (w) => w.viewSuspensions,
    load: () => import('./suspensions/SuspensionsView.svelte'),
    waiting: async () => {
      const found = await ask<Summary>('GET', '/api/suspensions/summary');
      const late = found.visits_late + found.known_late;
      return { count: (found.states['referred'] ?? 0) + late, late };
    },
  },
  {
    id: 'addresses',
    name: (w) => w.viewAddresses,
    load: () => import('./addresses/AddressesView.svelte'),
    waiting: async () => ({ count: await total('/api/address-questions?limit=1'), late: 0 }),
  },
  {
    id: 'cases',
    name: (w) => w.viewCases,
    load: () => import('./cases/CasesView.svelte'),
    waiting: () => totals('/api/cases?open=true&limit=1', '/api/cases?overdue=true&limit=1'),
  },
  {
    id: 'contradictions',
    name: (w) => w.viewContradictions,
    load: () => import('./contradictions/ContradictionsView.svelte'),
    waiting: async () => ({ count: await total('/api/contradictions?limit=1'), late: 0 }),
  },
  { id: 'imports', name: (w) => w.viewImports, load: () => import('./imports/ImportsView.svelte') },
  { id: 'reminders', name: (w) => w.viewReminders, load: () => import('./reminders/RemindersView.svelte') },
];
