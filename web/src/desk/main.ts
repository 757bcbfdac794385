// Starts the dispatcher's desk: who sits here, at which company, and whether they may dispatch.
import { mount } from 'svelte';
import '../styles/base.css';
import '../intake/intake.css';
import './desk.css';
import { session, SignedOut, type Role } from '../lib/api';
import { backoff } from '../lib/live/freshness';
import { i18n } from '../lib/i18n.svelte';
import { Desk } from './desk.svelte';
import NotForYou from '../lib/NotForYou.svelte';
import Shell from './Shell.svelte';
import { words } from './words.svelte';

const target = document.getElementById('app')!;
const DISPATCHES: readonly Role[] = ['administrator', 'manager', 'seat'];

/** Asks until the server answers. */
async function start(attempt: number): Promise<void> {
  try {
    const found = await session();
    target.replaceChildren();
    target.className = '';
    if (DISPATCHES.includes(found.role)) mount(Shell, { target, props: { desk: new Desk(found) } });
    else mount(NotForYou, { target, props: { session: found, w: words.shell } });
  } catch (error) {
    if (error instanceof SignedOut) {
      location.replace('/sign-in?to=desk');
      return;
    }
    target.textContent = i18n.t.unreachable;
    target.className = 'waiting';
    window.setTimeout(() => void start(attempt + 1), backoff(attempt, Math.random()) * 1000);
  }
}

void start(0);
