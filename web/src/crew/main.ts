// Starts the crew's app: what the phone kept is shown at once, with or without a network.
import { mount } from 'svelte';
import '../styles/base.css';
import './crew.css';
import App from './App.svelte';
import Cannot from './Cannot.svelte';
import { CrewApp } from './crew.svelte';
import { opens } from './db';
import { lacking, type Lack } from './ready';

const target = document.getElementById('app')!;

function cannot(lack: Lack): void {
  target.replaceChildren();
  mount(Cannot, { target, props: { lack } });
}

async function begin(): Promise<void> {
  const { BroadcastChannel, crypto, navigator } = window as Partial<typeof window>;
  const parts = [BroadcastChannel, navigator?.locks, crypto?.subtle, AbortSignal.timeout as unknown];
  const lack = await lacking({ secure: window.isSecureContext, parts, keeps: opens });
  if (lack !== null) {
    cannot(lack);
    return;
  }
  const app = new CrewApp();
  await app.start();
  target.replaceChildren();
  mount(App, { target, props: { app } });
}

begin().catch((error: unknown) => {
  cannot('store');
  throw error;
});
