// Starts the wall: who is looking, at which company, in which city.
import { mount } from 'svelte';
import '../styles/base.css';
import { session, SignedOut } from '../lib/api';
import { backoff } from '../lib/live/freshness';
import { i18n } from '../lib/i18n.svelte';
import Screen from './Screen.svelte';
import { Wall } from './wall.svelte';

const target = document.getElementById('app')!;

/** Asks until the server answers: a wall that is switched on before its server must come up by itself. */
async function start(attempt: number): Promise<void> {
  try {
    const found = await session();
    target.replaceChildren();
    mount(Screen, { target, props: { wall: new Wall(found) } });
  } catch (error) {
    if (error instanceof SignedOut) {
      location.replace('/sign-in');
      return;
    }
    target.textContent = i18n.t.unreachable;
    target.className = 'waiting';
    window.setTimeout(() => void start(attempt + 1), backoff(attempt, Math.random()) * 1000);
  }
}

void start(0);
